"""MedKLIP as released: its ResNet-50 of three stages, its decoder of findings, and BioClinicalBERT.

The method is for the evaluation of released weights (commit 8e60b03). BioClinicalBERT is not in the file: its
authors use it as it is on the hub, for descriptions of findings.
"""

from __future__ import annotations

import json
from typing import Any

from torch import nn

from prior_bench.checkpoints.known import medklip
from prior_bench.checkpoints.known.parts import sequential_resnet
from prior_bench.checkpoints.layouts import TEXT_MODEL, ReleasedLayout
from prior_bench.schema.base import Count

from .clinical_bert import BERT, NAMES, REST, TEXT
from .query_method import PROBABILITY, TOGETHER, QueryMethod
from .query_tokenizer import QueryTokenizer

DESCRIPTIONS = (
    "texts are descriptions of findings, of which the authors have a file of 75 (docs/zero_shot.md)"
)


class ReleasedMedKLIP(QueryMethod):
    """MedKLIP (arXiv 2301.02228) with the architecture of its released weights.

    Args:
        image_encoder, text_encoder, embed_dim, layers, feedforward: as for :class:`QueryMethod`.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 256,
        layers: Count = 4,
        feedforward: Count = 1024,
    ):
        super().__init__(image_encoder, text_encoder, embed_dim, layers=layers, feedforward=feedforward)
        values = json.loads(self.text_encoder.tokenizer.to_json())
        self.text_encoder.tokenizer = QueryTokenizer.of(values, parts=self.parts)
        width = self.image_encoder.local_dim
        self.patch_head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, embed_dim))
        self.query_head = nn.Linear(self.text_encoder.dim, embed_dim)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    alone = medklip.of_medklip()
    return (
        ReleasedLayout(
            name=alone.with_text,
            marks=(*alone.marks, TEXT_MODEL),
            rename=(
                *sequential_resnet("res_features.", stages=3),
                ("res_l1.", "patch_head.0."),
                ("res_l2.", "patch_head.2."),
                ("disease_embedding_layer.", "query_head."),
                ("decoder.", "decoder."),
                ("classifier.", "classifier."),
                *NAMES,
            ),
            method={
                "type": "medklip_released",
                "image_encoder": alone.image_encoder,
                "text_encoder": BERT,
                "embed_dim": 256,
            },
            unused=(
                *REST,
                (r"cl_fc\.", "the projection of queries that pre-training compares with places in the chest"),
            ),
            source=alone.source,
            notes=(*alone.notes, DESCRIPTIONS, TOGETHER, PROBABILITY),
            exposure=alone.exposure,
            **TEXT,
        ),
    )
