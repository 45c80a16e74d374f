"""The same detection with three detectors from three seeds, whose metrics are averaged.

prior-bench eval detection --backbone FILE --data sample:rsna_pneumonia --protocol demo/detection_three_heads
"""

_base_ = ["detection.py"]

protocol = dict(options=dict(heads=3))
