"""What is known of the vision models of transformers: where their global feature and their maps are."""

from __future__ import annotations

from dataclasses import dataclass

POOLS = ("cls", "mean", "pooler")
"""Global features: the class token, the mean of the patches, or what the model itself gives as pooled
(``pooler_output``)."""


@dataclass(frozen=True)
class Family:
    """A type of vision model.

    Attributes:
        pool: one of POOLS; of a model with several, the one that its authors evaluate frozen. In a two-tower
            model it is always ``"pooler"``, the vector that its projection reads.
        stages: end of the names of the modules that give a map or tokens for each stage, with ``{}`` for the
            stage's number; empty for a plain ViT, whose last tokens are its map.
        norm: end of the name of the norm that the last tokens lack; empty if they are normalised.
    """

    pool: str
    stages: str = ""
    norm: str = ""


FAMILIES: dict[str, Family] = {
    "vit": Family("cls"),  # the pooler of a ViTModel is trained in few files
    "deit": Family("cls"),
    "vit_mae": Family("cls"),  # as in the linear probe of MAE
    "vit_msn": Family("cls"),
    "dinov2": Family("cls"),
    "dinov2_with_registers": Family("cls"),
    "dinov3_vit": Family("cls"),
    "ijepa": Family("mean"),
    "beit": Family("pooler"),
    "data2vec-vision": Family("pooler"),
    "clip_vision_model": Family("pooler", norm="post_layernorm"),
    "metaclip_2_vision_model": Family("pooler", norm="post_layernorm"),
    "chinese_clip_vision_model": Family("pooler", norm="post_layernorm"),
    "altclip_vision_model": Family("pooler", norm="post_layernorm"),
    "siglip_vision_model": Family("pooler"),
    "siglip2_vision_model": Family("pooler"),
    "swin": Family("pooler", stages="encoder.layers.{}.blocks.-1"),
    "swinv2": Family("pooler", stages="encoder.layers.{}.blocks.-1"),
    "convnext": Family("pooler", stages="encoder.stages.{}"),
    "convnextv2": Family("pooler", stages="encoder.stages.{}"),
    "resnet": Family("pooler", stages="encoder.stages.{}"),
    "regnet": Family("pooler", stages="encoder.stages.{}"),
}
"""Families by ``model_type`` of the vision model's config."""
