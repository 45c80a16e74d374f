"""GLoRIA on the sample benchmark, with ConVIRT's encoders and schedule, so that the methods compare.

prior-bench pretrain gloria_sample
"""

_base_ = "convirt_sample.py"

method = dict(type="gloria")  # third-layer regions: 7 x 7
