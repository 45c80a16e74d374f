"""The released checkpoints of MGCA (ResNet-50, ViT-B/16), and common parts with its repository's ConVIRT."""

from __future__ import annotations

from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout

from ..released import ENLARGED, MIMIC_CXR, PADDING, image_encoder

SOURCE = "github.com/HKU-MedAI/MGCA"
CROSS_ATTENTION = (
    r".*\.crossattention\.",
    "cross-attention of the text encoder: never run, as texts are encoded on their own",
)
NO_TOKEN_TYPES = (
    "text_encoder.model.embeddings.token_type_embeddings.weight",
    0.0,
    "this BERT has no token types",
)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
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
        exposure=(MIMIC_CXR,),
    )
