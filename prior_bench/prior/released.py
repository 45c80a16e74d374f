"""The released checkpoints of PRIOR: the complete Lightning file, and the file of the image encoder."""

from __future__ import annotations

from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout

SOURCE = "github.com/QtacierP/PRIOR"
EXPOSURE = (
    (
        "mimic_cxr",
        "the released code trains on all of MIMIC-CXR, official validation and test splits included",
    ),
)
_IMAGE_ENCODER = {
    "model_name": "resnet50",
    "in_channels": 1,
    "pool": "attention",
    "input": {"size": 224, "channels": 1, "mean": 0.4755, "std": 0.3011, "resize": "squash"},
}
_STATISTICS = (
    "pixels are normalised with the statistics of pre-training, 0.4755 / 0.3011; the released zero-shot test "
    "uses 0.50627 / 0.28947 (--input mean=0.50627,std=0.28947 does the same)"
)
_KEPT = (
    "prototype_queries",
    "logit_scale",
    "local_logit_scale",
    "global_text_attention.",
    "global_image_projection.",
    "local_image_projection.",
    "local_text_projection.",
    "predictor.",
    "sentence_decoder.",
    "image_decoder.",
    "local_cross_attention.",
    "sentence_bank.",
)
"""Names of tensors that are the same in this implementation."""


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    whole = ReleasedLayout(
        name="PRIOR, ResNet-50",
        marks=("image_encoder.encoder.", "text_encoder.encoder.", "sentence_decoder."),
        rename=(
            ("image_encoder.encoder.", "image_encoder.model."),
            ("image_encoder.atten_pool.", "image_encoder.attention_pool."),
            ("text_encoder.encoder.", "text_encoder.model."),
            *((name, name) for name in _KEPT),
        ),
        method={
            "type": "prior",
            "variant": "released",
            "stage": 3,
            "image_encoder": _IMAGE_ENCODER,
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
        },
        unused=(
            POSITIONS,
            (r"text_encoder\.encoder\.pooler\.", "BERT's pooler: computed, used by nothing, never trained"),
            (r"global_text_projection\.", "defined and never used: the pool's output map does its work"),
            (
                r"sentence_decoder\.embeddings\.word_embeddings\.weight$",
                "the decoder reads learned queries, not words",
            ),
        ),
        supplied=(
            ("_stage", None, "our count of the training stage; the weights are those after stage 3"),
            ("sentence_bank.temperature", None, "a constant of the configuration, 0.9"),
        ),
        vocabulary=28996,
        max_tokens=256,
        source=SOURCE,
        exposure=EXPOSURE,
        notes=(
            _STATISTICS,
            "as released, zero-shot draws Gumbel noise: scores change from run to run unless seeded",
        ),
    )
    image = ReleasedLayout(
        name="PRIOR, image encoder",
        marks=("encoder.layer1.", "encoder.layer4.", "atten_pool."),
        rename=(
            ("encoder.", "image_encoder.model."),
            ("atten_pool.", "image_encoder.attention_pool."),
        ),
        method={"image_encoder": _IMAGE_ENCODER},
        wrappers=("", "image_encoder.", "module.", "model.", "module.image_encoder."),
        source=SOURCE,
        exposure=EXPOSURE,
        notes=(_STATISTICS,),
    )
    return whole, image
