"""Subgroups from stored predictions: groups, classes, gaps, refusals, and the command."""

import csv
import dataclasses
import io
import re

import numpy as np
import pandas as pd
import pytest
from fixed_store import spec

from prior_bench.api import RunRecord
from prior_bench.cli import main
from prior_bench.data.attributes import Grouping
from prior_bench.data.named_folders import remember
from prior_bench.errors import BenchError
from prior_bench.metrics.classification import auroc
from prior_bench.report.html.sections.subgroups import subgroups
from prior_bench.report.runs.reported_runs import finished_runs, reported_runs
from prior_bench.report.subgroups.collect import collect, corrected
from prior_bench.report.subgroups.compare import compare_groups
from prior_bench.report.subgroups.predicted import read_test_images
from prior_bench.report.subgroups.select import runs_of
from prior_bench.report.subgroups.text import render
from prior_bench.store.store import Store

PATIENTS = 120
CLASSES = ("Edema", "Effusion")


def table(**columns) -> pd.DataFrame:
    """Two images per patient; every other patient is female, a third of them (B) is the harmed group."""
    number = np.arange(2 * PATIENTS)
    random = np.random.default_rng(0)
    found = pd.DataFrame({"image": [f"{n}.png" for n in number], "id": [f"i{n:03d}" for n in number]})
    found["patient_id"] = [f"p{n // 2:03d}" for n in number]
    found["split"] = "test"
    found["sex"] = np.where(number // 2 % 2, "F", "M")
    found["site"] = np.array(list("ABC"))[number // 2 % 3]
    found["age"] = 20 + (number // 2 * 7) % 60
    for c, name in enumerate(CLASSES):
        found[name] = (random.random(len(number)) < (0.4, 0.5)[c]).astype(int)
    return found.assign(**columns)


def predictions(data: pd.DataFrame, seed=0, harm=4.0, **changes) -> dict[str, np.ndarray]:
    target = data[list(CLASSES)].to_numpy(float)
    noise = np.random.default_rng(seed).normal(size=target.shape)
    noise *= (1 + harm * (data["site"] == "B").to_numpy())[:, None]
    found = {
        "id": data["id"].to_numpy(str),
        "patient_id": data["patient_id"].to_numpy(str),
        "score": 1 / (1 + np.exp(-(2 * target - 1 + noise))),
        "target": target,
        "meta_classes": np.array(CLASSES),
        "meta_exclusive": np.array(False),
        "meta_thresholds": np.array([0.5, 0.4]),
    }
    found |= changes
    return {name: values for name, values in found.items() if values is not None}


@pytest.fixture
def my(tmp_path):
    """A data set in a CSV file, and a store with two rows and two seeds of predictions on it."""
    data = table()
    (tmp_path / "mine").mkdir()
    for image in data["image"]:
        (tmp_path / "mine" / image).write_bytes(b"an image")
    data.to_csv(tmp_path / "mine" / "my.csv", index=False)
    remember(tmp_path / "mine" / "my.csv")  # as opening it does
    store = Store(tmp_path / "results" / "mine")
    for name, harm in (("Fair", 0.0), ("Harmful", 4.0)):
        for seed in (0, 1):
            save(store, data, name, seed, predictions=predictions(data, seed, harm))
    return store


def save(store, data, name, seed=0, *, predictions, **changes) -> str:
    place = store.root.parents[1] / "mine" / "my.csv"
    run = spec(name, "classification", "chexpert", "clean/linear_probe", seed=seed) | changes
    run["data"] = {"name": "my", "type": "csv", "root": str(place), "labels": list(CLASSES)}
    key = re.sub(r"[^a-z0-9]+", "-", f"{name.lower()}-{seed}")
    store.save(RunRecord(key, "done", run, metrics={"auroc": 0.7}), predictions)
    return key


def entries(store):
    return finished_runs(reported_runs([store]))


def test_values_are_those_of_the_groups_images_and_the_harmed_group_is_the_worst(my):
    data, (section,) = table(), collect(entries(my), [Grouping("site")], resamples=99)
    found = section.found
    assert [(g.name, g.images, g.patients) for g in found.groups] == [(n, 80, 40) for n in "ABC"]
    assert found.classes == CLASSES and found.notes == []
    assert [(row.name, row.seeds) for row in found.rows] == [("Fair", (0, 1)), ("Harmful", (0, 1))]
    harmful = found.rows[1]
    for g, name in enumerate("ABC"):
        mine = (data["site"] == name).to_numpy()
        per_seed = [predictions(data, seed) for seed in (0, 1)]
        by_hand = np.mean([auroc(p["score"][mine], p["target"][mine]).mean() for p in per_seed])
        assert harmful.values["auroc"][g].value == pytest.approx(by_hand)
        missed = [((p["score"] < [0.5, 0.4]) & (p["target"] == 1))[mine].sum(0) for p in per_seed]
        positives = (per_seed[0]["target"] == 1)[mine].sum(0)
        assert harmful.values["fnr"][g].value == pytest.approx(np.mean(missed / positives))
        ill = mine & (per_seed[0]["target"] == 1).any(1)
        called = [(p["score"] < [0.5, 0.4]).all(1)[ill].mean() for p in per_seed]
        assert harmful.values["underdiagnosis"][g].value == pytest.approx(np.mean(called))
        assert harmful.values["auroc"][g].lower < by_hand < harmful.values["auroc"][g].upper
    values = [one.value for one in harmful.values["auroc"]]
    gap = harmful.gaps["auroc"]
    assert gap.worst == "B" and gap.size.value == pytest.approx(max(values) - min(values))
    assert gap.p == 0.01 and gap.size.lower > gap.chance
    for metric in ("fnr", "fpr"):
        assert harmful.gaps[metric].worst == "B", "the worst error rate is the highest"
    fair = found.rows[0].gaps["auroc"]
    assert fair.p > 0.05 and 0 < fair.size.lower < fair.chance < fair.size.upper


def test_shuffled_groups_have_the_gap_of_chance(my, tmp_path):
    random = np.random.default_rng(3)
    shuffled = pd.DataFrame({"patient_id": [f"p{n:03d}" for n in range(PATIENTS)]})
    shuffled["group"] = random.permutation(np.arange(PATIENTS) % 3)
    shuffled.to_csv(tmp_path / "g.csv", index=False)
    (section,) = collect(entries(my), [Grouping("group")], file=tmp_path / "g.csv", resamples=199)
    for row in section.found.rows:
        gap = row.gaps["auroc"]
        assert gap.size.lower < gap.chance < gap.size.upper and gap.p > 0.05


def test_groups_with_one_class_only_are_not_printed_and_classes_without_enough_are_left_out(my):
    data = table()
    images = read_test_images(entries(my)[:1])
    run = images.runs[0]
    target = run.target.copy()
    target[data["site"] == "C"] = 1.0  # no negative
    target[(data["site"] == "A").to_numpy() & (np.arange(len(data)) > 5), 1] = 0.0  # few positives
    changed = dataclasses.replace(images, runs=[dataclasses.replace(run, target=target)])
    found = compare_groups(changed, Grouping("site"), resamples=0)
    assert [group.name for group in found.groups] == ["A", "B"] and found.classes == ("Edema",)
    told = " ".join(found.notes)
    assert "C (80 images) is not printed: no class has 10 positives and 10 negatives there." in told
    assert "Without Effusion: a group has fewer than 10 positives" in told
    assert np.isnan(found.rows[0].values["auroc"][0].lower) and np.isnan(found.rows[0].gaps["auroc"].p)
    none = compare_groups(changed, Grouping("site"), least=60, resamples=0)
    assert none.rows == [] and "no group has enough images" in none.notes[-1]
    only = compare_groups(changed, Grouping("site"), labels=("Effusion",), resamples=0)
    assert only.rows == [] and "only B has enough images" in only.notes[-1]


def test_groups_without_a_class_in_common(my):
    data, images = table(), read_test_images(entries(my)[:1])
    target = images.runs[0].target.copy()
    target[(data["site"] == "A").to_numpy(), 0] = np.nan
    target[(data["site"] != "A").to_numpy(), 1] = np.nan
    changed = dataclasses.replace(images, runs=[dataclasses.replace(images.runs[0], target=target)])
    found = compare_groups(changed, Grouping("site"), resamples=0)
    assert len(found.groups) == 2 and found.classes == ("Edema",)
    assert "A is not printed: it shares no class with the other groups." in found.notes


def test_one_group_and_unknown_values_are_said(my, tmp_path):
    pd.DataFrame({"id": [f"i{n:03d}" for n in range(200)], "scanner": "X"}).to_csv(
        tmp_path / "g.csv", index=False
    )
    (section,) = collect(entries(my), [Grouping("scanner")], file=tmp_path / "g.csv")
    assert section.found.rows == []
    assert section.found.notes == [
        "40 of 240 images have no known scanner.",
        "All images with a known scanner have the same one, X.",
    ]
    assert "have the same one, X" in render([section])


def test_similarities_have_no_error_rates(my):
    data = table()
    save(my, data, "Similar", predictions=predictions(data, meta_thresholds=None))
    (section,) = collect(entries(my)[-1:], [Grouping("sex")], resamples=0)
    assert set(section.found.rows[0].values) == {"auroc"}
    assert "Error rates need a stored threshold" in section.found.notes[0]
    part = predictions(data, meta_thresholds=np.array([0.5, np.nan]))
    save(my, data, "Partly", predictions=part)
    (entry,) = [e for e in entries(my) if e.spec["backbone"]["name"] == "Partly"]
    (section,) = collect([entry], [Grouping("sex")], resamples=0)
    assert set(section.found.rows[0].values) == {"auroc"}
    (section,) = collect([entry], [Grouping("sex")], labels=["Edema"], resamples=0)
    assert "fnr" in section.found.rows[0].values and section.found.notes == []


def test_a_label_no_finding_decides_about_underdiagnosis(my):
    data = table()
    named = predictions(data, meta_classes=np.array(["Edema", "No Finding"]))
    save(my, data, "Stated", predictions=named)
    from prior_bench.report.runs.draws import load_predictions

    load_predictions.cache_clear()
    (entry,) = [e for e in entries(my) if e.spec["backbone"]["name"] == "Stated"]
    (section,) = collect([entry], [Grouping("sex")], resamples=0)
    mine = (data["sex"] == "F").to_numpy() & (named["target"][:, 1] == 0)
    by_hand = (named["score"][mine, 1] >= 0.4).mean()
    assert section.found.rows[0].values["underdiagnosis"][0].value == pytest.approx(by_hand)


def test_exclusive_labels_are_decided_by_the_highest_score(my):
    data = table()
    target = np.eye(2)[data["Edema"]]
    chosen = predictions(data, target=target, meta_exclusive=np.array(True), meta_thresholds=None)
    save(my, data, "One", predictions=chosen)
    (entry,) = [e for e in entries(my) if e.spec["backbone"]["name"] == "One"]
    (section,) = collect([entry], [Grouping("sex")], resamples=0)
    values = section.found.rows[0].values
    assert set(values) == {"auroc", "fnr", "fpr"}
    mine, called = (data["sex"] == "F").to_numpy(), chosen["score"].argmax(1)
    missed = [(called != c)[mine & (target[:, c] == 1)].mean() for c in (0, 1)]
    assert values["fnr"][0].value == pytest.approx(np.mean(missed))


def test_data_that_changed_since_are_refused(my, tmp_path):
    place = tmp_path / "mine" / "my.csv"
    table(patient_id=[f"q{n // 2}" for n in range(2 * PATIENTS)]).to_csv(place, index=False)
    with pytest.raises(BenchError, match="my: the patients of the test images have changed"):
        collect(entries(my), [Grouping("sex")])
    table().iloc[:-2].to_csv(place, index=False)
    with pytest.raises(BenchError, match="2 of 240 test images are no longer in the data, e.g. i238"):
        collect(entries(my), [Grouping("sex")])


def test_runs_are_those_with_the_most_labels_or_those_that_are_named(my):
    data = table()
    tenth = save(my, data, "Tenth", predictions=predictions(data), fraction=0.1)
    few = save(my, data, "Few", predictions=predictions(data), shots=4)
    assert tenth not in (keys := [run.key for run in runs_of(["mine"])]) and few not in keys
    assert len(keys) == 4
    assert [run.key for run in runs_of([tenth, "mine/few-0", tenth])] == [tenth, few]
    sections = collect(runs_of([tenth, few]), [Grouping("sex")], resamples=0)
    assert [section.labels for section in sections] == ["10 %", "4 per class"]
    with pytest.raises(BenchError, match="no run 'nothing'"):
        runs_of(["nothing"])


def test_p_values_are_corrected_together(my):
    sections = collect(entries(my), [Grouping("sex"), Grouping("site")], resamples=49)
    p_values = corrected(sections)
    assert len(p_values) == 2 * 2 * 4
    raw = sections[1].found.rows[1].gaps["auroc"].p
    assert raw == pytest.approx(0.02) and p_values[1, "Harmful", "auroc"] > 5 * raw


def test_the_command_prints_tables_and_a_file_of_numbers(my, tmp_path, capsys):
    assert main(["subgroups", "mine", "--by", "site", "--by", "age:40", "--resamples", "49"]) == 0
    out = capsys.readouterr().out
    assert "## classification · my · clean/linear_probe · 100 %, by site" in out and "by age" in out
    assert "| Harmful    | AUROC" in out and "| ≥ 40 " in out and "by chance" in out
    arguments = ["subgroups", "mine", "--by", "sex", "--label", "Edema", "--resamples", "20"]
    assert main([*arguments, "--format", "csv", "--output", str(tmp_path / "out.csv")]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert len(rows) == 2 * 3 * 3 and {row["group"] for row in rows} == {"F", "M", "gap"}
    first = next(row for row in rows if row["group"] == "F" and row["metric"] == "auroc")
    assert float(first["lower"]) <= float(first["value"]) <= float(first["upper"])
    assert (first["images"], first["patients"], first["seeds"]) == ("120", "60", "0 1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "race"], "unknown attribute 'race'"),
        (["--by", "sex", "--label", "Edma"], "did you mean Edema"),
        (["--by", "sex", "--format", "pdf", "--resamples", "0"], "unknown format 'pdf'"),
        (["--groups", "absent.csv"], "absent.csv: no such file"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(my, capsys, arguments, message):
    assert main(["subgroups", "mine", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_the_report_has_a_section_where_the_data_state_sex_or_age(my, monkeypatch):
    monkeypatch.setattr("prior_bench.report.html.sections.subgroups.RESAMPLES", 19)
    page = subgroups([entries(my)])
    assert [table.columns[1] for table in page.tables] == ["sex", "Gap of", "age", "Gap of"]
    assert len(page.tables[0].rows) == 4 and page.notes == []
    (my.root.parents[1] / "mine" / "my.csv").unlink()
    page = subgroups([entries(my)])
    assert page.tables == [] and "is not shown: no such file" in page.notes[0]


def test_the_report_generates_no_data(my, monkeypatch):
    run = entries(my)[0]
    there = dataclasses.replace(run, spec=run.spec | {"data": spec("A", "t", "chexpert", "p")["data"]})
    monkeypatch.setattr("prior_bench.report.subgroups.predicted.open_recorded", None)
    (note,) = subgroups([[there]]).notes
    assert "is not shown: its synthetic data are not on this machine" in note


def test_folds_have_sections_of_their_own(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from prior_bench.report.subgroups import collect as collecting

    read = []

    def images(runs, file):
        read.append([run.spec["seed"] for run in runs])
        return SimpleNamespace(runs=[SimpleNamespace(classes=CLASSES)], attributes={}, data="x")

    store = Store(tmp_path / "results" / "mine")
    for split, name in (({"rule": "prior", "by_seed": True}, "folds"), ({"rule": "lovt"}, "lists")):
        for seed in (0, 1):
            protocol = spec(name, "classification", "chexpert", name, seed=seed)["protocol"] | {
                "split": split
            }
            save(store, table(), name, seed, predictions=predictions(table()), protocol=protocol)
    monkeypatch.setattr(collecting, "read_test_images", images)
    monkeypatch.setattr(collecting, "choose", lambda *_: [Grouping("site")])
    monkeypatch.setattr(collecting, "compare_groups", lambda *_, **__: None)
    sections = collect(entries(store))
    assert sorted(read) == [[0], [0, 1], [1]]
    names = {section.protocol for section in sections}
    assert names == {"folds (split prior:0)", "folds (split prior:1)", "lists"}
