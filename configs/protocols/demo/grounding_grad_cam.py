"""The clean phrase grounding by Grad-CAM, for the synthetic sample benchmark.

prior-bench eval grounding --backbone my.ckpt --data sample:ms_cxr --protocol demo/grounding_grad_cam
"""

_base_ = ["../clean/grounding_grad_cam.py"]
