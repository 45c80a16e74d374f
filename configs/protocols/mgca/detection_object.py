"""Detection on Object-CXR as MGCA's released code does it, 10 and 100 %: docs/protocols/mgca.md.

prior-bench eval detection --backbone resnet_50.ckpt --data object_cxr --protocol mgca/detection_object
"""

_base_ = ["./detection_rsna.py"]

protocol = dict(
    split=dict(rule="mgca"),
    transform=dict(input=dict(brighten=None)),
    defects=(
        "images without a prediction or without a true box are left out of the mAP, so that neither missed "
        "images nor false alarms on negatives count (mgca/models/ssl_detector.py:79-96)",
        "boxes under a confidence of 0.5 are dropped, which cuts the precision-recall curve (same file)",
        "the frozen encoder's BatchNorm is in training mode (mgca/models/mgca/mgca_detector.py:69-71)",
    ),
)
