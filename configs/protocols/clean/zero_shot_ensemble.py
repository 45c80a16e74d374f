"""Several statements of presence and absence of each finding; the embeddings of each kind are averaged.

For methods that compare cosines; clean/zero_shot_mean_prompt is for all.
prior-bench eval zero_shot --backbone my.ckpt --data chexpert --protocol clean/zero_shot_ensemble
"""

_base_ = ["./zero_shot_pairs.py"]

protocol = dict(
    source="BioViL (ECCV 2022), several prompts of presence and absence; averaged as in CLIP and CheXzero",
    options=dict(prompts="chexpert14_ensemble", pooling="embedding"),
)
