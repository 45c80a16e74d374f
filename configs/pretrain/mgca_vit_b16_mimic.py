"""MGCA at the scale of its paper, with its default ViT-B/16: ClinicalBERT on MIMIC-CXR.

torchrun --nproc_per_node 2 -m prior_bench pretrain mgca_vit_b16_mimic
"""

_base_ = "mgca_r50_mimic.py"

method = dict(
    image_encoder=dict(model_name="deit_base_patch16_224.fb_in1k"),  # 14 x 14 patches
    upsample=None,
)
