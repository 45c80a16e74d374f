"""LoVT's detection on RSNA with a frozen encoder and 10 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_frozen_rsna_10
"""

_base_ = ["./detection_frozen_rsna.py"]

protocol = dict(stopping=dict(epochs=100))
