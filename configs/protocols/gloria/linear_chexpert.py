"""Linear classification on CheXpert as GLoRIA's released code does it: docs/protocols/gloria.md.

prior-bench run gloria_tasks --only protocol=gloria/linear_chexpert
"""

protocol = dict(
    task="classification",
    source="GLoRIA (ICCV 2021), code: configs/chexpert_classification_config.yaml, gloria/lightning",
    split=dict(rule="gloria"),
    # the training data are built twice, and nothing resets the random numbers between (gloria/builder.py)
    fraction_sampler=dict(by="rows", seed=1, draws=2),
    transform=dict(
        input=dict(size=224, mean=0.5, std=0.5, resize="pad", interpolation="area", rounding="down"),
        train=dict(Resize=dict(size=256), RandomCrop=dict(size=224)),
        eval=dict(Resize=dict(size=256)),
    ),
    head=dict(type="linear", dropout=0.0),
    frozen=dict(backbone=True, batch_norm=False),
    optimizer=dict(
        type="Adam", lr=1e-4, weight_decay=1e-6, betas=(0.5, 0.999), clip=0.25, schedule="constant", amp=True
    ),
    batch_size=64,
    stopping=dict(epochs=50, patience=10, monitor="minus_loss", tested="last", last_batch="dropped"),
    metrics=("auroc", "auprc"),
    options=dict(enlarge="as_pretrained"),
    defects=(
        "the frozen encoder's BatchNorm is in training mode: freeze_cnn holds the weights only "
        "(gloria/models/vision_model.py)",
        "most of the 5,000 validation rows stay in train: dropped by label where they were drawn by position "
        "(gloria/datasets/preprocess_datasets.py:155-157)",
        "the last weights are tested, not the best, which are found but not passed on (run.py:107-111)",
        "the plateau schedule counts steps where epochs are meant and practically never fires: constant rate "
        "(gloria/builder.py:107-114)",
    ),
)
