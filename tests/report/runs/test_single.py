"""What is said of one run."""

from scored_store import save

from prior_bench.report.runs.run_text import result_text
from prior_bench.store.store import Store


def test_metrics_come_with_intervals_and_trivial_predictors(tmp_path):
    run = save(Store(tmp_path), "A", 1.0)
    run.record.trivial = {"chance": {"auroc": 0.5}}
    lines = [line.split() for line in result_text(run.record, run.store, 50).splitlines()]
    assert ["metric", "value", "95", "%", "interval", "chance"] in lines
    (auroc,) = (line for line in lines if line[:1] == ["auroc"])
    _, value, low, to, high, chance = auroc
    assert float(low) < float(value) < float(high) and (to, chance) == ("to", "0.500")


def test_without_resamples_or_predictions_there_are_no_intervals_and_no_complaint(tmp_path):
    run = save(Store(tmp_path), "A", 1.0)
    assert " to " not in result_text(run.record, run.store, 0)
    (run.store.runs / run.key / "predictions.npz").unlink()
    text = result_text(run.record, run.store, 50)
    assert " to " not in text and "No intervals" not in text


def test_damaged_predictions_are_named(tmp_path):
    run = save(Store(tmp_path), "A", 1.0)
    place = run.store.runs / run.key / "predictions.npz"
    place.write_bytes(place.read_bytes()[:300])
    assert "No intervals: predictions cannot be read: " in result_text(run.record, run.store, 50)
