"""KAD as released: its ResNet-50, its text encoder (a PubMedBERT), and its decoder of findings.

The method is for the evaluation of released weights (commit 591d999). A file has three state dicts, under
``image_encoder``, ``text_encoder`` and ``model``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.api import Features, TextBatch
from prior_bench.checkpoints.known import medklip
from prior_bench.checkpoints.known.parts import sequential_resnet
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.schema.base import Count

from .query_method import PROBABILITY, TOGETHER, QueryMethod

WITH_TEXT = ", with its text encoder"
"""End of the names of the layouts."""
NAMES = "texts are the names of findings (docs/zero_shot.md)"


class ReleasedKAD(QueryMethod):
    """KAD (arXiv 2302.14042) with the architecture of its released weights.

    Args:
        image_encoder, text_encoder, embed_dim, layers, feedforward: as for :class:`QueryMethod`.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 768,
        layers: Count = 4,
        feedforward: Count = 1024,
    ):
        super().__init__(image_encoder, text_encoder, embed_dim, layers=layers, feedforward=feedforward)
        width, words = self.image_encoder.local_dim, self.text_encoder.dim
        self.patch_head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, embed_dim))
        self.pooler = nn.Linear(words, words)
        self.query_head = nn.Sequential(
            nn.Linear(words, embed_dim), nn.GELU(), nn.Linear(embed_dim, embed_dim)
        )

    def project_queries(self, text: TextBatch) -> Tensor:
        """Project the output of BERT's pooler by two linear layers."""
        return self.query_head(torch.tanh(self.pooler(self.text_encoder(text).tokens[:, 0])))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the logarithms of the odds, [images, texts]; see :class:`QueryMethod`.

        Patches and queries first pass the layer norm that is also at the end of the decoder.
        """
        norm = self.decoder.norm
        assert norm is not None, "made with the decoder"
        return super().similarity(
            image._replace(local=norm(image.parts)), text._replace(local=norm(text.parts))
        )


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    whole, short = medklip.of_kad()
    return _layout(whole, stages=4), _layout(short, stages=3)


def _layout(alone: ReleasedLayout, stages: int) -> ReleasedLayout:
    image, text = "image_encoder.", "text_encoder."
    return ReleasedLayout(
        name=alone.name + WITH_TEXT,
        marks=(*(image + mark for mark in alone.marks), f"{text}bert_model.", "model.decoder."),
        shapes=tuple((image + name, shape) for name, shape in alone.shapes),
        rename=(
            *sequential_resnet(f"{image}res_features.", stages=stages),
            (f"{image}res_l1.", "patch_head.0."),
            (f"{image}res_l2.", "patch_head.2."),
            (f"{text}bert_model.pooler.dense.", "pooler."),
            (f"{text}bert_model.", "text_encoder.model."),
            (f"{text}mlp_embed.", "query_head."),
            ("model.decoder.", "decoder."),
            ("model.mlp_head.0.", "classifier."),
        ),
        method={
            "type": "kad_released",
            "image_encoder": alone.image_encoder,
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}, "pool": "cls"},
            "embed_dim": 768,
        },
        unused=(
            POSITIONS,
            (r"image_encoder\.resnet\.", "the same tensors under a second name, and stages that are not run"),
            (r"model\.decoder_norm\.", "the norm of the decoder under a second name"),
            (r"(text_encoder|model)\.logit_scale$", "a temperature of pre-training"),
        ),
        wrappers=("", "module."),
        vocabulary=30522,
        max_tokens=256,
        tokenizer="xmcmic/Med-KEBERT",
        source=alone.source,
        notes=(*alone.notes, NAMES, TOGETHER, PROBABILITY),
        exposure=alone.exposure,
        keyed_by_image=True,
    )
