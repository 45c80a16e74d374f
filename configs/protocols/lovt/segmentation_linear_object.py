"""LoVT's linear segmentation on Object-CXR: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/segmentation_linear_object
"""

_base_ = ["./segmentation_linear_rsna.py"]

protocol = dict(
    fraction_sampler=dict(_delete_=True, by="first_rounded"),
    transform=dict(input=dict(mean=0.5053, std=0.2899, equalize="jpeg")),
    optimizer=dict(lr=1e-1),
    stopping=dict(epochs=100),
    defects=(),
)
