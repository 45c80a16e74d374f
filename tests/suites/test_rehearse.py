import pytest

from prior_bench.api import RehearsalSize
from prior_bench.api.rehearsal import FACTOR, Rehearsal
from prior_bench.errors import BenchError, ErrorList
from prior_bench.suites.keys import rehearsal_key
from prior_bench.suites.rehearse import rehearsal_of, seeds_counted
from prior_bench.suites.suite import fractions_of, load_suite

PAPERS = (
    "mgca_tables", "mgca_linear", "mgca_segmentation", "mgca_detection", "gloria_tasks", "lovt_rsna",
    "lovt_localised", "benchx_classification", "benchx_segmentation", "benchx_retrieval", "prior_tasks",
)  # fmt: skip


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_suite_keeps_protocols_rows_and_fractions(name):
    own = load_suite(name)
    suite = rehearsal_of(own)
    assert suite.name == f"{name}-rehearsal" and suite.called == f"{name} --rehearse"
    assert [row["name"] for row in suite.backbones] == [row["name"] for row in own.backbones]
    assert {row["type"] for row in suite.backbones} == {"random"}
    assert len(suite.evaluations) == len(own.evaluations)
    for before, after in zip(own.evaluations, suite.evaluations, strict=True):
        assert after["protocol"] == before["protocol"]
        assert after["overrides"] == before.get("overrides", {}), "no field of a protocol changes"
        assert fractions_of(after) == fractions_of(before)
        assert after["data"]["root"].startswith("rehearsal:") and "(rehearsal)" in after["data"]["name"]
        assert len(after["seeds"]) == 1


def test_both_versions_of_covidx_are_kept_apart():
    read = {
        entry["data"].get("version")
        for name in ("mgca_linear", "benchx_classification")
        for entry in rehearsal_of(load_suite(name)).evaluations
        if entry["data"]["type"] == "covidx"
    }
    assert read == {"9A", "unnamed"}


def test_one_seed_stands_for_all():
    suite = rehearsal_of(load_suite("lovt_rsna"))
    assert suite.evaluations[0]["seeds"] == [0]
    assert set(seeds_counted(suite).values()) == {5}
    counted = seeds_counted(rehearsal_of(load_suite("benchx_retrieval")))
    assert {count for (task, _, _), count in counted.items() if task == "zero_shot"} == {3}
    assert {count for (task, _, _), count in counted.items() if task == "retrieval"} == {1}


def test_its_tables_say_rehearsal_and_no_published_number():
    from prior_bench.report.tables.suite_tables import tables_of

    for table in tables_of(rehearsal_of(load_suite("mgca_tables"))):
        assert "rehearsal" in table.title and any(note.startswith("Rehearsal") for note in table.notes)
        assert table.suites == ["mgca_tables-rehearsal"]
        assert table.columns and not any(column.published for column in table.columns)


def test_factor_and_batch_change_the_key():
    sizes = (RehearsalSize(1e-5), RehearsalSize(1e-4), RehearsalSize(1e-5, 2))
    assert len({"key", *(rehearsal_key("key", size) for size in sizes)}) == 4


@pytest.mark.parametrize("factor", [0, -1, 1.5, float("nan")])
def test_a_factor_is_a_share(factor):
    with pytest.raises(BenchError, match="no share of the steps"):
        rehearsal_of(load_suite("mgca_linear"), factor)


def test_another_factor_is_in_the_command():
    assert rehearsal_of(load_suite("mgca_linear"), 0.01).called == "mgca_linear --rehearse 0.01"


@pytest.mark.parametrize("name", ["demo", "study", "robustness_demo"])
def test_suites_on_synthetic_data_are_refused_with_the_way_out(name):
    with pytest.raises(ErrorList) as caught:
        rehearsal_of(load_suite(name))
    assert "is synthetic already" in str(caught.value) and "run the suite as it is" in str(caught.value)


def test_a_suite_without_counterpart_is_refused():
    with pytest.raises(ErrorList, match="unknown rehearsal data set 'medmnist'"):
        rehearsal_of(load_suite("pneumoniamnist"))


def test_the_least_is_done_at_the_default_factor_and_never_more_than_all():
    least = Rehearsal(RehearsalSize(FACTOR, 2))
    assert (least.steps(250), least.images(5337), least.batch(48)) == (2, 2, 2)
    assert (least.images(1), least.batch(1)) == (1, 1)
    assert Rehearsal(RehearsalSize(0.1)).batch(48) == 48
    assert Rehearsal(RehearsalSize(0.1)).rows(40) == [0, 10, 20, 30]
    assert Rehearsal(RehearsalSize(1.0)).steps(500) == 500
