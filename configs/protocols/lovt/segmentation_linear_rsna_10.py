"""LoVT's linear segmentation on RSNA with 10 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/segmentation_linear_rsna_10
"""

_base_ = ["./segmentation_linear_rsna.py"]

protocol = dict(stopping=dict(epochs=100))
