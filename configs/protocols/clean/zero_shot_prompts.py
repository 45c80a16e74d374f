"""How much zero-shot accuracy depends on the wording: all prompts, and random draws of one prompt per class.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert_5x200 --protocol clean/zero_shot_prompts
"""

_base_ = ["./zero_shot.py"]

protocol = dict(
    metrics=(
        "accuracy",
        "accuracy_one_prompt",
        "accuracy_prompt_std",
        "accuracy_prompt_worst",
        "accuracy_prompt_best",
    ),
    options=dict(prompts_per_class=None),
)
