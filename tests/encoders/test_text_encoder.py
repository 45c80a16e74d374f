import json

import pytest
import torch

from prior_bench.encoders.text import TextEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError

CONFIG = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64)
TEXTS = [("The heart is enlarged.",), ("No pleural effusion.", "The lungs are clear."), ("Clear.",)]


@pytest.fixture(scope="module")
def tokenizer():
    return ReportTokenizer.train(TEXTS, 200, max_tokens=32)


def make(tokenizer, **arguments):
    return TextEncoder(config=dict(CONFIG), tokenizer=tokenizer, **arguments).eval()


def test_pools_ignore_padding(tokenizer):
    for pool in ("cls", "mean", "max"):
        encoder = make(tokenizer, pool=pool)
        together = encoder(tokenizer(TEXTS))
        assert together.tokens.shape == (3, 11, 32) and together.pooled.shape == (3, 32)
        for i, text in enumerate(TEXTS):
            alone = encoder(tokenizer([text]))
            torch.testing.assert_close(together.pooled[i], alone.pooled[0], rtol=1e-4, atol=1e-5)
            expected = {
                "cls": alone.tokens[0, 0],
                "mean": alone.tokens[0].mean(0),
                "max": alone.tokens[0].amax(0),
            }
            torch.testing.assert_close(alone.pooled[0], expected[pool])


def test_last_layers_are_summed_and_attentions_returned(tokenizer):
    encoder = make(tokenizer, last_layers=2, attentions=True)
    output = encoder(tokenizer(TEXTS))
    assert len(output.hidden_states) == 2 and len(output.attentions) == 3
    torch.testing.assert_close(output.tokens, output.hidden_states[0] + output.hidden_states[1])
    assert output.attentions[0].shape == (3, 2, 11, 11)
    plain = make(tokenizer)
    plain.load_state_dict(encoder.state_dict())
    assert plain(tokenizer(TEXTS)).attentions is None
    torch.testing.assert_close(plain(tokenizer(TEXTS)).tokens, output.hidden_states[-1], rtol=1e-4, atol=1e-5)


def test_freezing_and_fewer_layers(tokenizer):
    encoder = make(tokenizer, frozen_layers=1, num_hidden_layers=2)
    assert len(encoder.model.encoder.layer) == 2
    trained = {name.split(".layer.")[-1][0] for name, p in encoder.named_parameters() if p.requires_grad}
    assert trained == {"1"}
    with pytest.raises(BenchError, match="cannot freeze 4 of 3"):
        make(tokenizer, frozen_layers=4)


def test_every_trainable_parameter_gets_a_gradient(tokenizer):
    encoder = make(tokenizer, pool="mean")
    encoder(tokenizer(TEXTS)).pooled.square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters() if p.requires_grad)


def test_arguments_rebuild_the_encoder_from_plain_types(tokenizer):
    encoder = make(tokenizer, pool="max", last_layers=2)
    again = TextEncoder(**json.loads(json.dumps(encoder.arguments))).eval()
    again.load_state_dict(encoder.state_dict())
    batch = again.tokenizer(TEXTS)
    assert torch.equal(again(batch).pooled, encoder(tokenizer(TEXTS)).pooled)


def test_a_local_folder_is_a_name(tokenizer, tmp_path, capfd):
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    config = BertConfig(**CONFIG, vocab_size=tokenizer.vocab_size)
    model = BertModel(config).eval()
    model.save_pretrained(tmp_path)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._backend, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(tmp_path)
    capfd.readouterr()
    encoder = TextEncoder(name=str(tmp_path), max_tokens=32, pool="cls").eval()
    assert capfd.readouterr() == ("", ""), "no progress bar of the library"
    batch = encoder.tokenizer(TEXTS)
    assert torch.equal(batch.input_ids, tokenizer(TEXTS).input_ids)
    want = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    torch.testing.assert_close(encoder(batch).tokens, want)
    assert len(TextEncoder(name=str(tmp_path), num_hidden_layers=1).model.encoder.layer) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either 'name'"),
        ({"config": {}}, "needs a tokenizer"),
        ({"config": {}, "pool": "sum"}, "unknown pool 'sum'"),
    ],
)
def test_wrong_arguments_get_one_clear_error(arguments, message):
    with pytest.raises(BenchError, match=message):
        TextEncoder(**arguments)


def test_unknown_type_and_too_few_positions(tokenizer):
    with pytest.raises(BenchError, match="no model of type 'brt'"):
        TextEncoder(config={"model_type": "brt"}, tokenizer=tokenizer)
    with pytest.raises(BenchError, match="has 16 positions"):
        TextEncoder(config={**CONFIG, "max_position_embeddings": 16}, tokenizer=tokenizer)


def test_unreachable_hub_says_how_to_do_without(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BenchError, match=r"not in the local cache[\s\S]*--local-dir"):
        TextEncoder(name="nobody/no-such-bert")
