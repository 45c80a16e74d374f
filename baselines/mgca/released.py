"""The released checkpoints of MGCA (ResNet-50, ViT-B/16), and what ConVIRT of its repository shares."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/HKU-MedAI/MGCA"
POSITIONS = (r".*\.embeddings\.position_ids$", "a constant index, which today's transformers do not store")
CROSS_ATTENTION = (
    r".*\.crossattention\.",
    "cross-attention of the text encoder: never run, as texts are encoded on their own",
)
NO_TOKEN_TYPES = (
    "text_encoder.model.embeddings.token_type_embeddings.weight",
    0.0,
    "this BERT has no token types",
)
PADDING = (
    "as released, images are padded to a square of 256 and their centre of 224 is used: "
    "transform=dict(Resize=dict(size=256)) in a protocol does so"
)
ENLARGED = (
    "zero-shot and retrieval enlarge the image to 299 pixels, as released; the image encoder alone is fed 224"
)


def image_encoder(model_name: str) -> dict[str, Any]:
    """Arguments of ImageEncoder for the encoders of that repository."""
    return {
        "model_name": model_name,
        "in_channels": 3,
        "local_stage": -2,
        "input": {"size": 224, "channels": 3, "mean": 0.5, "std": 0.5, "resize": "pad"},
    }


def layouts() -> tuple[ReleasedLayout, ...]:
    """Layouts of this method (entry point ``prior_bench.layouts``)."""
    resnet = _layout("MGCA, ResNet-50", "layer1.", "resnet50", 299, (ENLARGED, PADDING))
    vit = _layout("MGCA, ViT-B/16", "blocks.", "vit_base_patch16_224", None, (PADDING,))
    return resnet, vit


def _layout(
    name: str, mark: str, model_name: str, upsample: int | None, notes: tuple[str, ...]
) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=(f"img_encoder_q.model.{mark}", "text_encoder_q.model."),
        rename=(
            ("img_encoder_q.model.", "image_encoder.model."),
            ("img_encoder_q.global_embed.", "image_head."),
            ("img_encoder_q.local_embed.", "patch_head."),
            ("text_encoder_q.model.", "text_encoder.model."),
            ("text_encoder_q.global_embed.", "text_head."),
            ("text_encoder_q.local_embed.", "word_head."),
            ("prototype_layer.", "prototype_layer."),
        ),
        method={
            "type": "mgca",
            "variant": "released",
            "upsample": upsample,
            "image_encoder": image_encoder(model_name),
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 6}},
        },
        unused=(
            POSITIONS,
            CROSS_ATTENTION,
            (r"(word|patch)_local_atten_layer\.", "learned attention that is off by default in the release"),
        ),
        supplied=(NO_TOKEN_TYPES,),
        vocabulary=28996,
        max_tokens=112,
        source=SOURCE,
        notes=notes,
    )
