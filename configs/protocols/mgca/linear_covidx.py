"""Linear classification on COVIDx 9A as MGCA's released code does it: docs/protocols/mgca.md.

prior-bench eval classification --backbone resnet_50.ckpt --data covidx --protocol mgca/linear_covidx
"""

_base_ = ["./linear_rsna.py"]

protocol = dict(
    source="MGCA (arXiv 2210.06044), code: mgca/models/ssl_finetuner.py, mgca/preprocess/covidx.py",
    split=dict(rule="mgca"),
    transform=dict(input=dict(brighten=None)),
    metrics=("accuracy", "auroc"),
    defects=(
        "train and validation share patients: images are drawn (mgca/preprocess/covidx.py:35-41)",
        "classes come from different collections, which the pictures give away (so is the data set)",
        "1 % and 10 % are rows drawn once, with seed 42 for every run (classification_dataset.py:47-53)",
    ),
)
