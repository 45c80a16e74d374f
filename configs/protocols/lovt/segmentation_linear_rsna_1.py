"""LoVT's linear segmentation on RSNA with 1 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/segmentation_linear_rsna_1
"""

_base_ = ["./segmentation_linear_rsna.py"]

protocol = dict(batch_size=8, stopping=dict(epochs=500, patience=20))
