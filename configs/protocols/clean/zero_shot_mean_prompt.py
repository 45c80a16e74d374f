"""The ensemble's prompts, whose scores are averaged instead of their embeddings; for every method.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert --protocol clean/zero_shot_mean_prompt
"""

_base_ = ["./zero_shot_ensemble.py"]

protocol = dict(source="", options=dict(pooling="mean"))
