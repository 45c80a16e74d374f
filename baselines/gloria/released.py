"""The released checkpoint of GLoRIA (ResNet-50)."""

from __future__ import annotations

from prior_bench.checkpoints.layouts import ReleasedLayout

INDEX = "a constant index, which today's transformers do not store"


def layouts() -> tuple[ReleasedLayout, ...]:
    """Layouts of this method (entry point ``prior_bench.layouts``)."""
    resnet50 = ReleasedLayout(
        name="GLoRIA, ResNet-50",
        marks=("gloria.img_encoder.model.", "gloria.text_encoder.model."),
        rename=(
            ("gloria.img_encoder.model.", "image_encoder.model."),
            ("gloria.img_encoder.global_embedder.", "global_embedder."),
            ("gloria.img_encoder.local_embedder.", "local_embedder."),
            ("gloria.text_encoder.model.", "text_encoder.model."),
        ),
        method={
            "type": "gloria",
            "variant": "released",
            "upsample": 299,
            "image_encoder": {
                "model_name": "resnet50",
                "in_channels": 3,
                "local_stage": -2,
                "input": {"size": 224, "channels": 3, "mean": 0.5, "std": 0.5, "resize": "pad"},
            },
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
        },
        unused=(
            (r".*\.embeddings\.position_ids$", INDEX),
            (r"gloria\.text_encoder\.model\.pooler\.", "BERT's pooler: GLoRIA reads the last four layers"),
        ),
        reshaped=("local_embedder.weight",),
        vocabulary=28996,
        max_tokens=97,
        source="github.com/marshuang80/gloria",
        notes=(
            "zero-shot and retrieval enlarge the image to 299 pixels, as released; the image encoder alone "
            "is fed 224",
            "as released, images are padded to a square of 256 and their centre of 224 is used: "
            "transform=dict(Resize=dict(size=256)) in a protocol does so",
        ),
    )
    return (resnet50,)
