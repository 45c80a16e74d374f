"""MGCA's detection on RSNA Pneumonia with 1 % of the labels: docs/protocols/mgca.md.

prior-bench run mgca_detection --only protocol=mgca/detection_rsna_1
"""

_base_ = ["./detection_rsna.py"]

protocol = dict(optimizer=dict(lr=2e-4), batch_size=8)
