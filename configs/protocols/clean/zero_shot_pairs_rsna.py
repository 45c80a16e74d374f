"""CheXzero's multi-label zero-shot classification with the prompts for the labels of RSNA.

prior-bench eval zero_shot --backbone my.ckpt --data rsna_pneumonia --protocol clean/zero_shot_pairs_rsna
"""

_base_ = ["zero_shot_pairs.py"]

protocol = dict(options=dict(prompts="rsna_chexzero"))
