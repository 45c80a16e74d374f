"""Linear classification on CheXpert as MGCA's released code does it: docs/protocols/mgca.md.

prior-bench eval classification --backbone resnet_50.ckpt --data chexpert --protocol mgca/linear_chexpert
"""

_base_ = ["./linear_rsna.py"]

protocol = dict(
    source="MGCA (arXiv 2210.06044), code: mgca/models/ssl_finetuner.py, mgca/preprocess/chexpert.py",
    split=dict(rule="mgca"),
    transform=dict(
        input=dict(brighten=None),
        train=dict(
            ColorJitter=dict(brightness=0.4, contrast=0.4, p=0.8),
            GaussianBlur=dict(kernel_size=13, sigma=(0.1, 2.0), p=0.5),
            RandomHorizontalFlip=dict(p=0.5),
        ),
    ),
    defects=(
        "4,907 of the 5,000 validation rows stay in train (mgca/preprocess/chexpert.py:48-53)",
        "train and validation share 4,566 patients: rows are drawn, not patients (same place)",
        "images are flipped, although left and right are not alike (mgca/datasets/transforms.py:59-74)",
        "1 % and 10 % are rows drawn once, with seed 42 for every run (classification_dataset.py:47-53)",
    ),
)
