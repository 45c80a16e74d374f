"""PRIOR's segmentation of SIIM-ACR: its five folds of positives, LoVT's settings: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/segmentation_siim
"""

_base_ = ["../lovt/segmentation_unet_finetune_siim.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): 2,669 positives in five folds as its author states (QtacierP/PRIOR issue 12); "
    "the lists and all other settings not determined, no code released; its readme says 'similar to LoVT' "
    "and names SMP 0.2.1; this is LoVT's fine-tuned U-Net",
    split=dict(rule="prior", by_seed=True),
    defects=("only images with pneumothorax are used, so that false alarms on other images do not count",),
)
