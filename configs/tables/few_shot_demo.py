"""AUROC of a linear probe over the number of training images per class.

prior-bench table few_shot_demo
"""

title = "Few-shot probes, sample benchmark (synthetic data)"
suite = "few_shot_demo"
rows = "all"
notes = ["Few-shot: k patients per finding and k without any finding, validated on min(k, 4) of each."]

_probe = dict(
    group="CheXpert, linear probe, AUROC",
    task="classification",
    data="sample:chexpert",
    protocol="demo/linear_probe",
    metric="auroc",
)

columns = [dict(label=f"{k} per class", shots=k, **_probe) for k in (1, 2, 4, 8, 16)]
columns += [dict(label="100 %", fraction=1.0, **_probe)]
