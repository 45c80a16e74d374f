"""Detection with a frozen backbone: only YOLOv3's neck and head are trained.

prior-bench eval detection --backbone my.ckpt --data rsna_pneumonia --protocol clean/detection_frozen
"""

protocol = dict(
    task="detection",
    source="YOLOv3 as in MGCA (arXiv 2210.06044) and LoVT (arXiv 2112.02889), all images counted",
    transform=dict(train=dict()),
    head=dict(type="yolov3", width=1.0),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=1e-6, schedule="constant", clip=35.0, amp=True),
    batch_size=16,
    stopping=dict(epochs=50, patience=10, monitor="map_40_75", tested="best"),
    metrics=("map_40_75", "coco_map", "ap_50", "map_mgca_compat", "froc"),
    # a low confidence keeps the whole precision-recall curve
    options=dict(confidence=0.005, nms_iou=0.4, max_boxes=100),
)
