"""The attention mask that a text encoder gives a model on a device: what transformers would make of it."""

import pytest
import tiny_methods
import torch
from transformers import masking_utils

from prior_bench.encoders.text import TextEncoder

TEXTS = {"padded": tiny_methods.TEXTS, "of one length": tiny_methods.TEXTS[:1] * 3}


@pytest.mark.parametrize("attentions", [False, True], ids=["fused", "eager"])
@pytest.mark.parametrize("name", TEXTS)
def test_it_is_the_mask_of_transformers(name, attentions, monkeypatch):
    encoder = TextEncoder(**tiny_methods.TEXT, attentions=attentions).eval()
    text = tiny_methods.TOKENIZER(TEXTS[name])
    inner = encoder.model
    embedded = inner.embeddings(input_ids=text.input_ids)
    theirs = masking_utils.create_bidirectional_mask(inner.config, embedded, text.attention_mask)
    moved = text.to("meta")
    on_device = moved._replace(attention_mask=text.attention_mask)
    on_device.copied_from = text
    monkeypatch.setattr(torch.Tensor, "is_cpu", False)
    ours = encoder._attention_mask(on_device)
    monkeypatch.undo()
    if theirs is None:
        assert ours is None and name == "of one length"
    else:
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_on_the_host_transformers_makes_it():
    encoder = TextEncoder(**tiny_methods.TEXT)
    text = tiny_methods.TOKENIZER(tiny_methods.TEXTS)
    assert encoder._attention_mask(text) is text.attention_mask
    assert encoder._attention_mask(text.to("cpu")) is text.attention_mask
