"""Common parts of layouts whose text encoder is BioClinicalBERT as it is on the hub: MedKLIP's and MAVL's."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.layouts import POSITIONS, TEXT_MODEL

NAMES = (
    (f"{TEXT_MODEL}bert.", "text_encoder.model."),
    (f"{TEXT_MODEL}embeddings.", "text_encoder.model.embeddings."),
    (f"{TEXT_MODEL}encoder.", "text_encoder.model.encoder."),
)
"""Pairs of names; a folder has its tensors with or without ``bert.``."""
REST = (
    POSITIONS,
    (r"text_model\.(bert\.)?pooler\.", "BERT's pooler: the vector of [CLS] is read before it"),
    (r"text_model\.cls\.", "the heads of BERT's own pre-training"),
)
"""Entries of ``unused`` for the text encoder."""
TEXT: dict[str, Any] = {
    "vocabulary": 28996,
    "max_tokens": 64,
    "tokenizer": "emilyalsentzer/Bio_ClinicalBERT",
}
"""Arguments of ReleasedLayout. Texts have up to 64 tokens, with [CLS]."""
BERT: dict[str, Any] = {"config": {"model_type": "bert", "num_hidden_layers": 12}, "pool": "cls"}
"""Arguments of TextEncoder."""
