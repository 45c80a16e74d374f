"""Detection on RSNA Pneumonia with a frozen encoder as LoVT runs it, 100 %: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_frozen_rsna
"""

protocol = dict(
    task="detection",
    source="LoVT (arXiv 2112.02889), code: src/models/downstream/detection.py, configs/evaluation_model",
    split=dict(rule="lovt"),
    fraction_sampler=dict(by="first_rounded", valid_share=0.1, always_valid_share=True),
    transform=dict(
        input=dict(size=224, mean=0.4899, std=0.2482, resize="pad_first"), train=dict(), boxes="whole"
    ),
    head=dict(
        type="yolov3_lovt",
        width=1.0,
        anchors=(
            ((64.64, 48.6), (84.24, 106.92), (201.42, 176.04)),
            ((16.2, 32.94), (33.48, 24.3), (31.86, 64.26)),
            ((5.4, 7.02), (8.64, 16.2), (17.82, 12.42)),
        ),
    ),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(
        type="Adam",
        lr=1e-3,
        weight_decay=1e-6,
        schedule="plateau",
        factor=0.5,
        patience=3,
        plateau_on="valid_loss",
        amp=True,
    ),
    batch_size=64,
    stopping=dict(
        epochs=50,
        patience=10,
        monitor="map_lovt",
        tested="best",
        min_delta=1e-5,
        last_batch="dropped_in_training",
    ),
    metrics=("map_lovt", "map_40_75", "ap_50", "map_mgca_compat", "froc"),
    options=dict(confidence=0.2, nms_iou=0.4, max_boxes=3087),
    defects=(
        "1 % and 10 % are the first rows of the list, the same in every run (datasets/*/train.csv)",
        "all runs validate on the first tenth of the validation split (configs/dataset/rsna*.yaml)",
        "boxes under a confidence of 0.2 are dropped, which cuts the precision-recall curve",
    ),
)
