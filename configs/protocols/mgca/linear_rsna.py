"""Linear classification on RSNA Pneumonia as MGCA's released code does it: docs/protocols/mgca.md.

prior-bench eval classification --backbone resnet_50.ckpt --data rsna_pneumonia --protocol mgca/linear_rsna
"""

protocol = dict(
    task="classification",
    source="MGCA (arXiv 2210.06044), code: mgca/models/ssl_finetuner.py, mgca/preprocess/rsna.py",
    split=dict(rule="mgca_classification"),
    fraction_sampler=dict(by="rows", seed=42),
    transform=dict(
        input=dict(
            size=224,
            mean=0.5,
            std=0.5,
            resize="pad",
            interpolation="area",
            rounding="down",
            brighten="nearest",
        ),
        train=dict(Resize=dict(size=256), RandomCrop=dict(size=224)),
        eval=dict(Resize=dict(size=256)),
    ),
    head=dict(type="linear", dropout=0.0),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=1e-6, betas=(0.9, 0.999), schedule="constant"),
    batch_size=48,
    stopping=dict(epochs=50, patience=10, monitor="minus_loss", tested="best", last_batch="dropped"),
    metrics=("auroc", "auprc"),
    options=dict(enlarge=299),
    defects=(
        "not stratified, and overlapping the test set of mgca/detection_rsna (mgca/preprocess/rsna.py:50-53)",
        "1 % and 10 % are rows drawn once, with seed 42 for every run (classification_dataset.py:47-53)",
    ),
)
