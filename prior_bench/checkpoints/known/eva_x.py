"""EVA-X: ViTs of EVA-02's kind with patches of 16 pixels, in three sizes."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MODEL, Pairs, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/hustvl/EVA-X"
STATISTICS: dict[str, Any] = {"mean": 0.49185243, "std": 0.28509309}
_FUSED = {"mlp.w12.": "mlp.fc1.", "mlp.w3.": "mlp.fc2."}
_SEPARATE = {
    "attn.q_bias": "attn.q_proj.bias",
    "attn.v_bias": "attn.v_proj.bias",
    "mlp.w1.": "mlp.fc1_g.",
    "mlp.w2.": "mlp.fc1_x.",
    "mlp.w3.": "mlp.fc2.",
    "mlp.ffn_ln.": "mlp.norm.",
}
_SEEN = "pre-trained on 520,000 merged public images, which are taken to include it: the code names no source"


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    return (
        _layout("EVA-X-Ti/16", "eva02_tiny_patch14_224", 192, _FUSED),
        _layout("EVA-X-S/16", "eva02_small_patch14_224", 384, _FUSED),
        _layout("EVA-X-B/16", "eva02_base_patch14_224", 768, _SEPARATE),
    )


def _layout(name: str, model_name: str, width: int, parts: dict[str, str]) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=("blocks.11.", *(f"blocks.0.{theirs}" for theirs in parts)),
        shapes=(("patch_embed.proj.weight", (width, 3, 16, 16)),),
        rename=(*_blocks(parts), ("norm.", f"{MODEL}fc_norm."), ("", MODEL)),
        method={
            "image_encoder": image_encoder(
                model_name,
                resize="crop",
                resize_to=256,
                interpolation="bicubic",
                **STATISTICS,
                img_size=224,
                patch_size=16,
                ref_feat_shape=(14, 14),
            )
        },
        unused=(
            (r"(.*\.)?rope\.", "constants of the rotary embedding"),
            (r"(mask_token|lm_head\.)", "part of masked pre-training"),
            (r"head\.", "a classifier"),
        ),
        source=SOURCE,
        notes=("the global feature is the norm of the mean of the patches, as in the authors' code",),
        exposure=tuple((data, _SEEN) for data in ("mimic_cxr", "chexpert", "nih_chestxray14")),
    )


def _blocks(parts: dict[str, str]) -> Pairs:
    return tuple(
        (f"blocks.{i}.{theirs}", f"{MODEL}blocks.{i}.{ours}")
        for i in range(12)
        for theirs, ours in parts.items()
    )
