"""Fine-tuning on COVIDx CXR-4 as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_covidx
"""

_base_ = ["./finetune_rsna.py"]

protocol = dict(
    source="BenchX (arXiv 2410.21969), code: configs/classification/COVIDx/convirt.yml, which is for 1 %",
    fraction_sampler=dict(_delete_=True, by="listed:benchx"),
    transform=dict(input=dict(brighten=None)),
    optimizer=dict(lr=5e-4),
    defects=(
        "the rate reaches zero after 1,200 steps, whatever the number of images, and then rises again "
        "(config, t_total; unifier/blocks/schedulers/WarmupCosineScheduler.py)",
        "multiclass_f1 is the F1 of class 1 alone (unifier/blocks/scorers/scores.py:65-69)",
        "the first line of each list is read as a header and lost (preprocess_covidx.py)",
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
    ),
)
