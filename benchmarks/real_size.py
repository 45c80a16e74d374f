"""The methods at the size of their papers, with random weights and texts of a stated length."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from prior_bench.api import PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.pretraining.config import PretrainConfig, load_config
from prior_bench.registry import METHODS

METHODS_OF_PAPERS = ("convirt", "gloria", "mgca", "prior")
VOCABULARY = 28_996
"""Tokens of Bio_ClinicalBERT, whose vocabulary is not part of this repository."""
SENTENCES, WORDS = 8, 8
"""**Assumed** length of a report: sentences, and tokens of each, as in :mod:`benchmarks.prior_inputs`."""


def real_config(name: str) -> PretrainConfig:
    """Return the config of a method on MIMIC-CXR."""
    return load_config(f"{name}_r50_mimic")


def real_method(name: str) -> Any:
    """Build a method as in its paper; BERT-base with random weights stands for Bio_ClinicalBERT."""
    method = dict(real_config(name).method)
    given = dict(method["text_encoder"])
    given.pop("name")
    kept = {"config": {"num_hidden_layers": 12}, "tokenizer": tokenizer(given.get("max_tokens", 256))}
    method["text_encoder"] = {**given, **kept}
    method["image_encoder"] = {**method["image_encoder"], "pretrained": False}
    return METHODS.build(method)


def real_batch(method: Any, config: PretrainConfig, pairs: int) -> PretrainBatch:
    """Return images of noise, and reports or single sentences of the assumed length."""
    spec = method.image_encoder.input
    channels = config.method["image_encoder"].get("in_channels", 3)
    images = torch.randn(pairs, channels, spec.size, spec.size, generator=torch.Generator().manual_seed(0))
    count = 1 if config.data.text == "random_sentence" else SENTENCES
    report = tuple(" ".join(f"w{WORDS * s + w}" for w in range(WORDS)) for s in range(count))
    return PretrainBatch(images, method.text_encoder.tokenizer([report] * pairs))


def tokenizer(max_tokens: int) -> ReportTokenizer:
    """Return a tokenizer with as many tokens as Bio_ClinicalBERT, all of them made up."""
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    names = [*special, *(f"w{i}" for i in range(VOCABULARY - len(special)))]
    backend = Tokenizer(models.WordPiece({n: i for i, n in enumerate(names)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return ReportTokenizer(backend, "[PAD]", max_tokens)
