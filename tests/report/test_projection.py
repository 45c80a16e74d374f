import pytest

from prior_bench.api import Measured, RunRecord
from prior_bench.report.projection import project
from prior_bench.report.projection_text import suite_text, suites_text

PROTOCOL = {"name": "p", "transform": {"input": {"size": 224}}}
TRAINING = Measured("training", "frozen", done=2, real=600, seconds=1.0, steps=100, batch=6)
VALID = Measured("valid", "forward", done=4, real=2000, seconds=2.0)
METRICS = Measured("metrics of valid", "host", done=2, real=50, seconds=0.4)


def record(*work, seconds=10.0, name="p", size=224, status="done", gib=1.5, fraction=1.0):
    spec = {
        "backbone": {"name": "Random"},
        "task": "segmentation",
        "data": {"name": "rsna_pneumonia (rehearsal)"},
        "protocol": {**PROTOCOL, "name": name, "transform": {"input": {"size": size}}},
        "fraction": fraction,
        "seed": 0,
    }
    rehearsed = {"factor": 1e-5, "batch": 2, "work": [one.to_dict() for one in work]}
    provenance = {
        "rehearsal": rehearsed,
        "wall_seconds": seconds,
        "peak_gib": {"memory": gib},
        "hardware": {"device": "cpu"},
    }
    return RunRecord(key=name, status=status, spec=spec, provenance=provenance)


def test_here_is_measured_rates_times_real_work_plus_the_rest():
    (cell,) = project([record(TRAINING, VALID, METRICS)], {}).cells
    rest = 10.0 - 1.0 - 2.0 - 0.4
    assert cell.here == pytest.approx(600 * 0.5 + 2000 * 0.5 + 50 * 0.2 + rest)


def test_gpu_is_images_over_assumed_images_per_second_plus_work_of_the_host():
    (cell,) = project([record(TRAINING, VALID, METRICS)], {}).cells
    assert cell.gpu == pytest.approx(600 / 600 + 2000 / 1000 + 50 * 0.2)
    (faster,) = project([record(TRAINING, VALID, METRICS)], {}, forward=2000).cells
    assert faster.gpu == pytest.approx(600 / 1200 + 2000 / 2000 + 50 * 0.2)
    (larger,) = project([record(TRAINING, VALID, METRICS, size=448)], {}).cells
    assert larger.gpu == pytest.approx(4 * (600 / 600 + 2000 / 1000) + 50 * 0.2)


def test_training_the_encoder_is_slower():
    trained = Measured("training", "trained", done=2, real=600, seconds=1.0, steps=100, batch=6)
    assert project([record(trained)], {}).cells[0].gpu == pytest.approx(600 / 300)


def test_shared_features_are_paid_once():
    features = Measured("features", "forward", done=2, real=1000, seconds=1.0, once="abc")
    first, second = project([record(features, seconds=1.0), record(features, seconds=1.0)], {}).cells
    assert (first.gpu, second.gpu) == (pytest.approx(1.0), 0.0)
    assert (first.here, second.here) == (pytest.approx(500.0), 0.0)


def test_seeds_multiply_and_gpus_share_whole_cells():
    seeds = {("segmentation", "rsna_pneumonia (rehearsal)", "p"): 5}
    hour = Measured("valid", "forward", done=1, real=3_600_000, seconds=1.0)
    found = project([record(hour, seconds=1.0), record(hour, seconds=1.0, name="q")], seeds)
    assert found.real_cells == 6 and found.gpu == pytest.approx(6)
    assert found.on_gpus(8) == found.longest == pytest.approx(1)
    assert found.on_gpus(4) == pytest.approx(2)


def test_failed_and_missing_cells_are_counted():
    found = project([record(VALID), record(status="failed"), None], {})
    assert (len(found.cells), found.failed, found.missing) == (1, 1, 1)


def test_the_text_states_what_is_assumed():
    found = project([record(TRAINING, VALID, METRICS), None], {})
    text = suite_text("mgca_linear", found, 1000.0)
    assert "segmentation: p on rsna_pneumonia" in text and "100 %" in text
    assert "GPU hours are not measured" in text and "early stopping" in text
    assert "1 failed" not in text and "1 not yet run" in text
    assert "1e-05" in text and "at most 2 images per step" in text
    # a step has six images, at half a second each
    assert "| 3.0 |" in " ".join(text.split())
    assert "mgca_linear" in suites_text({"mgca_linear": found}, 1000.0)


def test_nothing_done_is_said():
    assert "no cell is done" in suite_text("s", project([None], {}), 1000.0)
