"""PneumoniaMNIST: a linear probe and fine-tuning at 64 pixels.

prior-bench table pneumoniamnist --trivial
"""

title = "PneumoniaMNIST; backbones pre-trained on synthetic data"
suite = "pneumoniamnist"

_data = dict(name="pneumoniamnist", type="medmnist", root="medmnist", subset="pneumoniamnist")
columns = [
    dict(
        group=_group,
        label=_label,
        task="classification",
        data=_data,
        protocol=f"laptop/{_protocol}",
        metric=_metric,
    )
    for _group, _protocol in (("linear probe", "linear_probe"), ("fine-tuning", "finetune"))
    for _label, _metric in (("AUROC", "auroc"), ("accuracy", "accuracy"))
]
