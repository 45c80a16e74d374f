"""Performance on corrupted images and with other prompts on the sample benchmark, and cost of the encoders.

prior-bench table robustness_demo
"""

title = "Robustness and cost, sample benchmark (synthetic data)"
notes = [
    "Probe: linear probe on CheXpert, AUROC × 100. Zero-shot: CheXpert 5x200, accuracy × 100. Columns of "
    "corruptions: averages over five severities. One prompt: 100 draws of one prompt per class, × 100. "
    "Images per second depend on the machine and on other programs that ran on it.",
]
suite = "robustness_demo"
rows = "all"

_probe = dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe_corrupted")
_zero_shot = dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot_corrupted")
_cost = dict(
    group="image encoder", task="throughput", data="sample:chexpert", protocol="clean/throughput", scale=1.0
)
_groups = {
    "clean": "",
    "noise": "_corrupted/noise",
    "blur": "_corrupted/blur",
    "contrast": "_corrupted/contrast",
    "JPEG": "_corrupted/jpeg",
    "exposure": "_corrupted/exposure",
    "rotation": "_corrupted/rotation",
    "mean": "_corrupted",
}

columns = [
    column
    for group, ending in _groups.items()
    for column in (
        dict(group=group, label="probe", metric=f"auroc{ending}", **_probe),
        dict(group=group, label="zero-shot", metric=f"accuracy{ending}", **_zero_shot),
    )
]
columns += [
    dict(group="one prompt", label="accuracy", metric="accuracy_one_prompt", **_zero_shot),
    dict(
        group="one prompt",
        label="deviation",
        metric="accuracy_prompt_std",
        higher_is_better=False,
        **_zero_shot,
    ),
    dict(group="one prompt", label="worst", metric="accuracy_prompt_worst", **_zero_shot),
    dict(group="one prompt", label="best", metric="accuracy_prompt_best", **_zero_shot),
    dict(label="images/s", metric="images_per_second", digits=0, **_cost),
    dict(label="million parameters", metric="parameters", higher_is_better=False, **{**_cost, "scale": 1e-6}),
    dict(label="GFLOPs", metric="gflops", higher_is_better=False, digits=2, **_cost),
]
