"""GLoRIA on the sample benchmark, with ConVIRT's encoders and schedule, so that the methods are comparable.

prior-bench pretrain gloria_sample
"""

_base_ = "convirt_sample.py"

method = dict(type="gloria")
