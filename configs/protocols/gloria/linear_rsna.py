"""Linear classification on RSNA Pneumonia as GLoRIA's released code does it: docs/protocols/gloria.md.

prior-bench run gloria_tasks --only protocol=gloria/linear_rsna
"""

_base_ = ["./linear_chexpert.py"]

protocol = dict(
    source="GLoRIA (ICCV 2021), code: configs/pneumonia_classification_config.yaml, gloria/lightning",
    split=dict(rule="mgca_classification"),
    transform=dict(input=dict(brighten="nearest")),
    optimizer=dict(
        _delete_=True,
        type="Adam",
        lr=5e-4,
        weight_decay=1e-6,
        betas=(0.5, 0.999),
        schedule="constant",
        amp=True,
    ),
    defects=(
        "the frozen encoder's BatchNorm is in training mode: freeze_cnn holds the weights only "
        "(gloria/models/vision_model.py)",
        "not stratified (gloria/datasets/preprocess_datasets.py:49-50)",
        "the last weights are tested, not the best, which are found but not passed on (run.py:107-111)",
        "the plateau schedule counts steps where epochs are meant and practically never fires: constant rate "
        "(gloria/builder.py:107-114)",
    ),
)
