"""LoVT's detection on RSNA with a frozen encoder and 1 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_frozen_rsna_1
"""

_base_ = ["./detection_frozen_rsna.py"]

protocol = dict(batch_size=8, stopping=dict(epochs=500, patience=20))
