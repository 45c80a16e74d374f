"""PRIOR with our extensions on the sample benchmark (docs/deviations.md).

prior-bench pretrain prior_extended_sample
"""

_base_ = "prior_sample.py"

method = dict(
    variant="extended",
    # 8 x 8 patches, each of which sees less of the image around it than the 4 x 4 of the next stage do
    image_encoder=dict(local_stage=-3),
    image_blocks=3,  # 8 pixels per patch
)
optimizer = dict(lr=5e-4)  # both chosen on the validation cohort (docs/sample_benchmark.md)
