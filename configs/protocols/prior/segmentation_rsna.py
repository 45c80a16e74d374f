"""A stand-in for PRIOR's segmentation on RSNA, because its settings are unknown: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/segmentation_rsna
"""

_base_ = ["./segmentation_siim.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; its readme says 'similar to LoVT' "
    "and names SMP 0.2.1; this is LoVT's fine-tuned U-Net",
    split=dict(_delete_=True, rule="lovt"),  # of RSNA, the author states folds for detection alone
    transform=dict(input=dict(mean=0.4899, std=0.2482, equalize=None)),
    defects=("masks are filled boxes; RSNA has no others",),
)
