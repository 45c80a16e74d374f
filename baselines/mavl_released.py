"""MAVL as released: its ResNet-50 of three stages, its decoder of findings, and BioClinicalBERT.

The method is for the evaluation of released weights (commit 6a5eacd). A finding is nine texts: its
description, and eight visual aspects of it. BioClinicalBERT is not in the file, as for MedKLIP. The scores
are those of the decoder (``mode: feature`` of the authors' configs), not of the attention pool.
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

PARTS = 9
"""Texts of a finding: its description and eight aspects."""
LINES = (
    "a text has nine lines: the description of a finding and eight aspects, of which the authors have files "
    "(docs/zero_shot.md)"
)


class ReleasedMAVL(QueryMethod):
    """MAVL (CVPR 2024) with the architecture of its released weights.

    Args:
        image_encoder, text_encoder, embed_dim, layers, feedforward: as for :class:`QueryMethod`.
        parts: number of lines of a text, each a query.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 256,
        parts: Count = 1,
        layers: Count = 4,
        feedforward: Count = 1024,
    ):
        super().__init__(image_encoder, text_encoder, embed_dim, parts, layers, feedforward)
        values = json.loads(self.text_encoder.tokenizer.to_json())
        self.text_encoder.tokenizer = QueryTokenizer.of(values, parts=parts)
        width = self.image_encoder.local_dim
        self.patch_head = nn.Sequential(nn.Linear(width, width), nn.PReLU(), nn.Linear(width, embed_dim))
        self.query_head = nn.Linear(self.text_encoder.dim, embed_dim)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    alone = medklip.of_mavl()
    return (
        ReleasedLayout(
            name=alone.with_text,
            marks=(*alone.marks, TEXT_MODEL),
            rename=(
                *sequential_resnet("backbone.", stages=3),
                ("res_l1.0.", "patch_head.0."),
                ("res_l1.1.", "patch_head.1."),
                ("res_l2.", "patch_head.2."),
                ("disease_embedding_layer.", "query_head."),
                ("decoder.", "decoder."),
                ("classifier.", "classifier."),
                *NAMES,
            ),
            method={
                "type": "mavl_released",
                "image_encoder": alone.image_encoder,
                "text_encoder": BERT,
                "embed_dim": 256,
                "parts": PARTS,
            },
            unused=(
                *REST,
                (r"pool\.", "the attention pool, whose vector is compared with texts in another mode"),
                (r"location_emb\.", "the comparison with places in the chest, in pre-training"),
                (r"temp$", "the temperature of a loss"),
            ),
            reshaped=("patch_head.0.weight", "patch_head.2.weight"),
            source=alone.source,
            notes=(*alone.notes, LINES, TOGETHER, PROBABILITY),
            exposure=alone.exposure,
            **TEXT,
        ),
    )
