"""LoVT's detection on RSNA, fine-tuned, with 10 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_finetune_rsna_10
"""

_base_ = ["./detection_finetune_rsna.py"]

protocol = dict(stopping=dict(epochs=100))
