"""Phrase grounding by Grad-CAM of a method's own score, for any method that compares images with texts.

prior-bench eval grounding --backbone my.ckpt --data ms_cxr@mimic_cxr --protocol clean/grounding_grad_cam
"""

_base_ = ["grounding.py"]

protocol = dict(options=dict(map="grad_cam"))
