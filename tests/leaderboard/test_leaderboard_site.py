"""The site: what stands beside what, what is compared, what is named, and that the same bundles give it."""

import csv
import json
import shutil

import pytest
from bundled_store import REAL, bundled, edited, keyed, members_of, resealed, save_keyed

import prior_bench as pb
from prior_bench.errors import BenchError
from prior_bench.leaderboard.contents import Contents
from prior_bench.leaderboard.site import collected
from prior_bench.store.store import Store


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "bundles"
    place.mkdir()
    return place


@pytest.fixture
def out(tmp_path):
    return tmp_path / "site"


def files_of(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def data_of(out):
    return json.loads((out / "leaderboard.json").read_text("utf-8"))


def results_of(out, metric="auroc"):
    return {one["row"]: one for one in data_of(out)["results"] if one["metric"] == metric}


def pages_of(out, kind="protocols"):
    return [path.read_text("utf-8") for path in sorted((out / kind).glob("*.html"))]


def test_a_site_has_its_pages_and_its_numbers(tmp_path, folder, out):
    store = keyed(tmp_path / "a", {"A": 1.0, "B": 3.0})
    bundled(store, folder / "one.zip", title="One")
    built = pb.build_leaderboard(folder, out, title="Ours")
    assert (built.bundles, built.rows, built.protocols, built.left_out, built.conflicts) == (1, 2, 1, {}, [])
    found = results_of(out)
    values = [r.metrics["auroc"] for r in store.records().values() if r.spec["backbone"]["name"] == "A"]
    assert found["A"]["mean"] == pytest.approx(sum(values) / 2, abs=1e-12) and found["A"]["seeds"] == [0, 1]
    assert found["A"]["std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert found["A"]["lower"] < found["A"]["mean"] < found["A"]["upper"]
    assert found["A"]["verified"] and found["A"]["finished"] == "2026-11-02" and found["A"]["synthetic"]
    (page,) = pages_of(out)
    assert f"{100 * found['A']['mean']:.1f}" in page and "✓ verified" in page
    assert "Synthetic data." in page and "Ours" in page
    assert "AUROC ↑" in page and "prior-bench 0.1.0, torch 2.14.1" in page
    assert len(pages_of(out, "rows")) == len(list((out / "model-index").iterdir())) == 2
    assert sorted(data_of(out)["files"]) == sorted(files_of(out))
    lines = list(csv.DictReader((out / "leaderboard.csv").open()))
    assert [line["row"] for line in lines if line["metric"] == "auroc"] == ["A", "B"]
    assert float(lines[0]["mean"]) == found["A"]["mean"]


def test_pages_link_to_files_that_are_there_and_load_nothing(tmp_path, folder, out):
    import re

    bundled(keyed(tmp_path / "a", {"A": 1.0, "B": 3.0}, seeds=1), folder / "one.zip")
    pb.build_leaderboard(folder, out)
    for page in out.rglob("*.html"):
        text = page.read_text("utf-8")
        assert "default-src 'none'" in text and " src=" not in text
        for place in re.findall(r'href="([^"#][^"]*)"', text):
            assert place == "data:," or (page.parent / place).resolve().is_file(), (page, place)


def test_the_same_bundles_give_the_same_bytes(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1), folder / "z.zip", title="One")
    bundled(keyed(tmp_path / "b", {"B": 2.0}, seeds=1), folder / "y.zip", title="Two")
    pb.build_leaderboard(folder, out)
    first = files_of(out)
    (folder / "z.zip").rename(folder / "a.zip")
    shutil.copy(folder / "a.zip", folder / "copy.zip")
    pb.build_leaderboard(folder, out)  # it replaces its own
    assert files_of(out) == first


def test_verified_rows_with_the_same_test_samples_are_compared(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0}), folder / "one.zip", title="One")
    bundled(keyed(tmp_path / "b", {"B": 4.0}), folder / "two.zip", title="Two")
    pb.build_leaderboard(folder, out)
    assert results_of(out)["B"]["mark"] == "best" and results_of(out)["A"]["mark"] == ""
    (page,) = pages_of(out)
    assert (
        "<strong>" in page.split("<tbody>")[1]
        and "Marks compare only these rows with each other: A; B." in page
    )
    assert "Paired tests by test patient and seed, Holm" in page, "the tests are told"


@pytest.mark.parametrize("how", ["no predictions", "other data", "other split", "other labels"])
def test_other_rows_are_compared_with_nothing(tmp_path, folder, out, how):
    settings = {"other data": {"fingerprint": "f1"}, "other split": {"split": "s1"}}.get(how, {})
    bundled(keyed(tmp_path / "a", {"A": 1.0}), folder / "one.zip", title="One")
    store = keyed(tmp_path / "b", {"B": 4.0}, **settings)
    if how == "other labels":
        for key, record in store.records().items():
            arrays = store.predictions(key)
            arrays["target"], arrays["score"] = 1 - arrays["target"], 1 - arrays["score"]
            record.metrics = {"auroc": record.metrics["auroc"]}
            store.save(record, arrays)
    bundled(store, folder / "two.zip", title="Two", predictions=how != "no predictions")
    built = pb.build_leaderboard(folder, out)
    found = results_of(out)
    assert found["A"]["mark"] == found["B"]["mark"] == ""
    (page,) = pages_of(out)
    assert (
        "Nothing is compared here" in page and "<strong>" not in page.split("<tbody>")[1].split("</tbody>")[0]
    )
    assert found["B"]["verified"] == (how != "no predictions")
    if how == "no predictions":
        assert found["B"]["lower"] is None and "unverified: no predictions are enclosed" in page
    assert bool(built.conflicts) == (how == "other labels")
    if built.conflicts:
        assert "the true labels of chexpert (synthetic) (split s0) differ" in built.conflicts[0]


def test_rows_with_predictions_that_are_not_verified_are_not_compared(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0}), folder / "one.zip", title="One")
    older = {"declared_versions": {"metric auroc": 2}}
    bundled(keyed(tmp_path / "b", {"B": 4.0}, provenance=older), folder / "two.zip", title="Two")
    pb.build_leaderboard(folder, out)
    found = results_of(out)
    assert found["B"]["mark"] == found["A"]["mark"] == "" and found["B"]["lower"] is None
    assert found["B"]["unverified"] == "made with version 2 of metric auroc; here it is 1"


def test_who_is_not_compared_is_said(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0, "B": 4.0}), folder / "one.zip", title="One")
    bundled(keyed(tmp_path / "c", {"C": 5.0}), folder / "two.zip", title="Two", predictions=False)
    pb.build_leaderboard(folder, out)
    (page,) = pages_of(out)
    assert "Without comparison: C (no predictions are enclosed)." in page
    assert results_of(out)["C"]["mark"] == "" and results_of(out)["B"]["mark"] == "best"


def test_one_key_with_other_numbers_is_a_conflict_and_is_not_compared(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0, "B": 4.0}), folder / "one.zip", title="One")
    bundled(
        keyed(tmp_path / "b", {"A": 1.5}), folder / "two.zip", title="Two"
    )  # weights of the same identity
    built = pb.build_leaderboard(folder, out)
    assert (
        sum(" auroc is " in text and " in One, " in text and " in Two, " in text for text in built.conflicts)
        == 2
    )
    assert any("row 'A' is in 2 bundles, of the same weights" in text for text in built.conflicts)
    found = results_of(out)
    assert (
        sorted(found) == ["A (One)", "A (Two)", "B"]
        and found["A (One)"]["conflicts"]
        and not found["B"]["conflicts"]
    )
    assert not any(one["mark"] for one in found.values())
    assert pages_of(out)[0].count("✓ verified; in conflict") == 2 and "Conflicts" in pages_of(out)[0]
    assert built.conflicts[0].split(",")[0] in (out / "index.html").read_text("utf-8")


def test_one_name_of_two_rows_is_named_and_compared(tmp_path, folder, out):
    for letter, skill in (("a", 1.0), ("b", 4.0)):
        store = keyed(tmp_path / letter, {"Mine": skill}, seeds=1, identity=letter * 16)
        bundled(store, folder / f"{letter}.zip", title=letter)
    built = pb.build_leaderboard(folder, out)
    assert len(built.conflicts) == 1 and "row 'Mine' is in 2 bundles, of other weights" in built.conflicts[0]
    assert results_of(out)["Mine (b)"]["mark"] == "best"


def test_equal_records_in_two_bundles_are_no_conflict(tmp_path, folder, out):
    store = keyed(tmp_path / "a", {"A": 1.0}, seeds=1)
    bundled(store, folder / "one.zip", title="One"), bundled(store, folder / "two.zip", title="Two")
    built = pb.build_leaderboard(folder, out)
    assert [text.partition(",")[0] for text in built.conflicts] == ["row 'A' is in 2 bundles"]


def test_other_settings_under_one_name_have_another_page(tmp_path, folder, out):
    store = Store(tmp_path / "a")
    save_keyed(store, "A", 1.0)
    save_keyed(store, "B", 2.0, protocol={"batch_size": 8})
    save_keyed(store, "C", 2.0, protocol={"source": "another word for it"})  # changes no number
    save_keyed(store, "D", 2.0, fraction=0.1)
    bundled(store, folder / "one.zip")
    pb.build_leaderboard(folder, out)
    pages = {row: one["page"] for row, one in results_of(out).items()}
    assert pages["A"] == pages["C"] and len(set(pages.values())) == 3
    text = (out / pages["B"]).read_text("utf-8")
    assert ", variant " in text and "Other settings than prior-bench has under this name: " in text
    assert "batch_size" in text and "10 % of the labels" in (out / pages["D"]).read_text("utf-8")


def test_the_shipped_protocol_is_recognised(tmp_path, folder, out):
    from prior_bench.suites.protocols import load

    store = Store(tmp_path / "a")
    shipped = json.loads(json.dumps(load("demo/linear_probe").to_dict()))
    save_keyed(store, "A", 1.0, protocol=shipped)
    bundled(store, folder / "one.zip")
    pb.build_leaderboard(folder, out)
    assert "All settings are those of the protocol that prior-bench has" in pages_of(out)[0]


def test_published_numbers_stand_beside_only_where_comparable(tmp_path, folder, out):
    store = Store(tmp_path / "a")
    rule = {"split": {"rule": "mgca"}}
    from prior_bench.report.published.numbers import load_published

    number = next(
        n
        for n in load_published()
        if n.family == "classification"
        and n.split
        and n.frozen == "yes"
        and n.data == "chexpert"
        and n.variant
        and n.fraction
    )
    rule = {"split": {"rule": number.split}, "metrics": [number.variant]}
    save_keyed(store, "A", 1.0, data=REAL, fraction=number.fraction, protocol=rule)
    save_keyed(store, "B", 1.0, data=REAL, fraction=0.5, protocol=rule)
    save_keyed(store, "C", 1.0, fraction=number.fraction, protocol=rule)  # synthetic
    bundled(store, folder / "one.zip")
    pb.build_leaderboard(folder, out)
    pages = {
        row: (out / one["page"]).read_text("utf-8") for row, one in results_of(out, number.variant).items()
    }
    assert number.source_paper in pages["A"] and f"{number.value:.{number.digits}f}" in pages["A"]
    for row in ("B", "C"):
        assert number.source_paper not in pages[row] and "No published number is comparable" in pages[row]
    assert "Synthetic data." in pages["C"] and "Synthetic data." not in pages["A"]


def test_leakage_and_cards_are_said(tmp_path, folder, out):
    leak = "3 test patients were seen in pre-training on mine"
    bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1, provenance={"leakage": [leak]}), folder / "one.zip")
    card = tmp_path / "B.json"
    card.write_text(
        json.dumps(
            {
                "title": "B",
                "weights": {"where": "here"},
                "access": "open",
                "licence": "MIT",
                "vision": "ViT",
                "input": "224",
                "loads": "no",
                "limits": "closed",
                "trained_on": {"chexpert": "its training split"},
            }
        )
    )
    bundled(keyed(tmp_path / "b", {"B": 1.0}, seeds=1), folder / "two.zip", cards=(str(card),))
    pb.build_leaderboard(folder, out)
    (page,) = pages_of(out)
    assert f"leakage: {leak}" in page and "card: its training split" in page
    assert results_of(out)["A"]["leakage"] == [leak]
    rows = "".join(pages_of(out, "rows"))
    assert leak in rows and "MIT" in rows and "The submitter gave no card." in rows


def test_bundles_that_are_not_sound_are_left_out_and_named(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1), folder / "good.zip")
    members = members_of(bundled(keyed(tmp_path / "b", {"B": 1.0}, seeds=1), tmp_path / "b.zip"))
    name = next(one for one in members if one.endswith("record.json"))
    content = edited(members[name], lambda record: record["metrics"].update(auroc=0.99))
    resealed(folder / "forged.zip", {**members, name: content})
    (folder / "nothing.zip").write_bytes(b"nothing")
    built = pb.build_leaderboard(folder, out)
    assert sorted(built.left_out) == ["forged.zip", "nothing.zip"] and built.rows == 1
    index = (out / "index.html").read_text("utf-8")
    assert "forged.zip" in index and "metrics.auroc: is 0.99" in index and str(tmp_path) not in index
    assert sorted(results_of(out)) == ["A"]


def test_without_a_sound_bundle_nothing_is_written(folder, out):
    with pytest.raises(BenchError, match="there is no bundle"):
        pb.build_leaderboard(folder, out)
    (folder / "a.zip").write_bytes(b"")
    with pytest.raises(BenchError, match="no sound bundle .a.zip"):
        pb.build_leaderboard(folder, out)
    assert not out.exists()


def test_a_folder_that_is_not_ours_is_not_replaced(tmp_path, folder, out):
    bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1), folder / "one.zip")
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(BenchError, match="holds other files than a leaderboard's: thesis.txt"):
        pb.build_leaderboard(folder, out)
    (out / "thesis.txt").unlink()
    pb.build_leaderboard(folder, out)
    (out / "CNAME").write_text("example.org")
    before = files_of(out)
    with pytest.raises(BenchError, match="CNAME"):
        pb.build_leaderboard(folder, out)
    assert files_of(out) == before
    (tmp_path / "link").symlink_to(out)
    with pytest.raises(BenchError, match="is no folder"):
        pb.build_leaderboard(folder, tmp_path / "link")


def test_a_build_that_fails_leaves_the_earlier_site(tmp_path, folder, out, monkeypatch):
    bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1), folder / "one.zip")
    pb.build_leaderboard(folder, out)
    before = files_of(out)
    monkeypatch.setattr(Contents, "results", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pb.build_leaderboard(folder, out)
    assert files_of(out) == before and [p.name for p in out.parent.glob("*site*")] == ["site"]


def test_the_newest_record_of_a_cell_is_shown(tmp_path, folder):
    store = Store(tmp_path / "a")
    save_keyed(store, "A", 1.0, identity="old", provenance={"finished": "2026-01-01T00:00:00+00:00"})
    new = save_keyed(store, "A", 2.0, identity="new")
    bundled(store, folder / "one.zip")
    (tmp_path / "unpacked").mkdir()
    bundles, _ = collected(folder, tmp_path / "unpacked")
    (row,) = Contents.of(bundles, {}, "t", "", "").rows
    assert [run.key for run in row.runs] == [new.key] and row.older == 1
