"""MGCA's detection on Object-CXR with 1 % of the labels: docs/protocols/mgca.md.

prior-bench run mgca_detection --only protocol=mgca/detection_object_1
"""

_base_ = ["./detection_object.py"]

protocol = dict(optimizer=dict(lr=2.5e-4), batch_size=8)
