"""Fine-tuning on COVIDx CXR-4 as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_covidx
"""

_base_ = ["./finetune_rsna.py"]

protocol = dict(
    source="BenchX (arXiv 2410.21969); optimiser values for COVIDx: not determined, those of RSNA are used",
    fraction_sampler=dict(_delete_=True, by="listed:benchx"),
    defects=(
        "multiclass_f1 is the F1 of class 1 alone (unifier/blocks/scorers/scores.py:65-69)",
        "the first line of each list is read as a header and lost (preprocess_covidx.py)",
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
    ),
)
