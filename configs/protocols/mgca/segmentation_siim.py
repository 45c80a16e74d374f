"""Segmentation on SIIM-ACR Pneumothorax as MGCA's released code does it: docs/protocols/mgca.md.

prior-bench eval segmentation --backbone resnet_50.ckpt --data siim_acr --protocol mgca/segmentation_siim
"""

_base_ = ["./segmentation_rsna.py"]

protocol = dict(
    split=dict(rule="mgca"),
    fraction_sampler=dict(balanced=True),
    batch_size=8,
    defects=(
        "split by rows of the run-length file: 154 images are in train and test, and 183 of 476 positive "
        "test images have an incomplete mask (mgca/preprocess/siim.py)",
        "trained on as many negatives as positives, tested on the natural share "
        "(mgca/datasets/segmentation_dataset.py:41-61)",
        "the frozen encoder's BatchNorm is in training mode (mgca/models/mgca/mgca_segmenter.py:93-95)",
        "an image without foreground scores 1 where nothing is predicted: predicting nothing anywhere scores "
        "75.0 (mgca/models/ssl_segmenter.py:81-121)",
    ),
)
