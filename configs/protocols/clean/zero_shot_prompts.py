"""How much zero-shot accuracy hangs on the wording: all prompts of the set, and draws of one for each class.

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
