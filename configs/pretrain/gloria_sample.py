"""GLoRIA on the sample benchmark, with ConVIRT's encoders and schedule, so that methods are comparable.

prior-bench pretrain gloria_sample
"""

_base_ = "convirt_sample.py"

# rate and patches (8 x 8) by three seeds of sample_tuning_gloria, see docs/sample_benchmark.md
method = dict(type="gloria", image_encoder=dict(local_stage=-3))
optimizer = dict(lr=1e-3)
