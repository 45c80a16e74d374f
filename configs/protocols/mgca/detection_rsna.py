"""Detection on RSNA Pneumonia as MGCA's released code does it, 10 and 100 %: docs/protocols/mgca.md.

prior-bench eval detection --backbone resnet_50.ckpt --data rsna_pneumonia --protocol mgca/detection_rsna
"""

protocol = dict(
    task="detection",
    source="MGCA (arXiv 2210.06044), code: mgca/models/ssl_detector.py, mgca/models/mgca/mgca_detector.py",
    split=dict(rule="mgca_detection"),
    fraction_sampler=dict(by="choice", seed=42),
    transform=dict(
        input=dict(
            size=224,
            mean=0.5,
            std=0.5,
            resize="squash",
            interpolation="bilinear_aliased",
            brighten="nearest",
        ),
        train=dict(),
    ),
    head=dict(type="yolov3_mgca", width=1.0),
    frozen=dict(backbone=True, batch_norm=False),
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=1e-6, betas=(0.9, 0.999), schedule="constant"),
    batch_size=16,
    stopping=dict(epochs=50, patience=10, monitor="map_mgca_compat", tested="best", last_batch="dropped"),
    metrics=("map_mgca_compat", "map_40_75", "ap_50", "froc"),
    options=dict(confidence=0.5, nms_iou=0.5, max_boxes=100),
    defects=(
        "images without a prediction or without a true box are left out of the mAP, so that neither missed "
        "images nor false alarms on negatives count (mgca/models/ssl_detector.py:79-96)",
        "boxes under a confidence of 0.5 are dropped, which cuts the precision-recall curve (same file)",
        "the frozen encoder's BatchNorm is in training mode (mgca/models/mgca/mgca_detector.py:69-71)",
        "1,328 test images are in train of mgca/linear_rsna (mgca/preprocess/rsna.py:110-113)",
    ),
)
