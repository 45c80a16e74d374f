"""The ensemble's prompts, of which the best one of presence is compared with the best one of absence.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert --protocol clean/zero_shot_best_prompt
"""

_base_ = ["./zero_shot_ensemble.py"]

protocol = dict(source="GLoRIA (ICCV 2021), best prompt of a class", options=dict(pooling="max"))
