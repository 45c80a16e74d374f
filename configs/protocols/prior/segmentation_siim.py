"""A stand-in for PRIOR's segmentation on SIIM-ACR, because its settings are unknown: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/segmentation_siim
"""

_base_ = ["../lovt/segmentation_unet_finetune_siim.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; its readme says 'similar to LoVT' "
    "and names SMP 0.2.1; this is LoVT's fine-tuned U-Net",
)
