"""The released checkpoint of GLoRIA (ResNet-50)."""

from __future__ import annotations

from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout

from ..released import CHEXPERT, ENLARGED, PADDING, image_encoder


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
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
            "image_encoder": image_encoder("resnet50"),
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
        },
        unused=(
            POSITIONS,
            (r"gloria\.text_encoder\.model\.pooler\.", "BERT's pooler: GLoRIA reads the last four layers"),
        ),
        reshaped=("local_embedder.weight",),
        vocabulary=28996,
        max_tokens=97,
        source="github.com/marshuang80/gloria",
        notes=(ENLARGED, PADDING),
        exposure=(CHEXPERT,),
    )
    return (resnet50,)
