"""The metadata for the hub has the fields of its specification, and says what the site says."""

import json

import pytest
from bundled_store import bundled, keyed

import prior_bench as pb


@pytest.fixture
def written(tmp_path):
    def write(url="", **settings):
        (tmp_path / "bundles").mkdir()
        bundled(keyed(tmp_path / "mine", {"A": 1.0}), tmp_path / "bundles/a.zip", **settings)
        pb.build_leaderboard(tmp_path / "bundles", tmp_path / "site", url=url)
        (file,) = (tmp_path / "site/model-index").iterdir()
        site = json.loads((tmp_path / "site/leaderboard.json").read_text())
        return json.loads(file.read_text("utf-8")), next(r for r in site["results"] if r["metric"] == "auroc")

    return write


def test_the_fields_are_those_of_the_hub(written):
    index, result = written("https://example.org/board/")
    (model,) = index["model-index"]
    (found,) = model["results"]
    assert model["name"] == "A" and set(found) == {"task", "dataset", "metrics", "source"}
    assert found["task"] == {"type": "image-classification", "name": "classification"}
    assert (found["dataset"]["type"], found["dataset"]["split"]) == ("chexpert", "test")
    assert found["dataset"]["args"] == {"split rule": "default", "split hash": "s0", "synthetic": True}
    (metric,) = found["metrics"]
    assert (metric["type"], metric["name"]) == ("roc_auc", "AUROC")
    assert metric["value"] == pytest.approx(result["mean"], abs=1e-6)
    assert metric["args"]["seeds"] == [0, 1] and metric["args"]["verified from predictions"] is True
    assert metric["args"]["standard deviation over seeds"] == pytest.approx(result["std"], abs=1e-6)
    assert found["source"]["url"] == f"https://example.org/board/{result['page']}"
    assert "verified" not in metric and "verifyToken" not in metric


def test_without_an_address_there_is_no_source_and_unverified_is_said(written):
    index, _ = written(predictions=False)
    (found,) = index["model-index"][0]["results"]
    assert "source" not in found and found["metrics"][0]["args"]["verified from predictions"] is False


def test_the_hubs_own_library_reads_it(written):
    from huggingface_hub.repocard_data import model_index_to_eval_results

    index, result = written("https://example.org")
    name, (found,) = model_index_to_eval_results(index["model-index"])
    assert (name, found.task_type, found.dataset_type) == ("A", "image-classification", "chexpert")
    assert found.metric_type == "roc_auc" and found.metric_value == pytest.approx(result["mean"], abs=1e-6)


def test_it_is_the_head_of_a_model_card(written):
    import yaml

    index, _ = written()
    assert yaml.safe_load(json.dumps(index, indent=1)) == index
