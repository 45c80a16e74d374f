"""Zero-shot classification under corruptions and other wordings, with the sample benchmark's own prompts.

prior-bench eval zero_shot --backbone my.ckpt --data sample:chexpert_5x200 --protocol demo/zero_shot_corrupted
"""

_base_ = ["../clean/zero_shot_corrupted.py"]

protocol = dict(
    metrics=(
        "accuracy",
        "auroc",
        "accuracy_corrupted",
        "accuracy_drop",
        "auroc_corrupted",
        "accuracy_one_prompt",
        "accuracy_prompt_std",
        "accuracy_prompt_worst",
        "accuracy_prompt_best",
    ),
    options=dict(prompts="sample", prompts_per_class=None, pooling="mean"),
)
