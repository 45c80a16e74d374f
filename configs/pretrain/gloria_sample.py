"""GLoRIA on the sample benchmark, with ConVIRT's encoders and schedule, so that methods are comparable.

prior-bench pretrain gloria_sample
"""

_base_ = "convirt_sample.py"

method = dict(type="gloria")
optimizer = dict(lr=5e-4)  # of the rates that docs/sample_benchmark.md compares
