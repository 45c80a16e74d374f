"""LoVT's detection on RSNA, fine-tuned, with 1 % of the labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_finetune_rsna_1
"""

_base_ = ["./detection_finetune_rsna.py"]

protocol = dict(batch_size=8, stopping=dict(epochs=500, patience=20))
