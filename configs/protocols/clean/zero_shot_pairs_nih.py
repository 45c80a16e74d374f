"""CheXzero's multi-label zero-shot classification with the prompts for the labels of ChestX-ray14.

prior-bench eval zero_shot --backbone my.ckpt --data nih_chestxray14 --protocol clean/zero_shot_pairs_nih
"""

_base_ = ["zero_shot_pairs.py"]

protocol = dict(options=dict(prompts="nih14_chexzero"))
