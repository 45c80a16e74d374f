"""Runs of one key may have been computed with other threads, instructions or libraries: it is named."""

import copy

from scored_store import save

from prior_bench.report.comparing.compare import circumstances_between, spec_differences
from prior_bench.report.runs.circumstances import circumstances, differences, mixture_note
from prior_bench.report.tables.table import build_table, table_of_entries
from prior_bench.store.store import Store

CPU = {
    "device": "cpu",
    "cpu": "some",
    "threads": 1,
    "instructions": "AVX512",
    "blas": ["mkl 1", "openblas 2"],
    "deterministic": True,
    "memory_gib": 8,
}


def recorded(store, name="A", trained=None, versions=None, **changed):
    run = save(store, name, 1.0)
    run.record.provenance["hardware"] = {**CPU, **changed}
    if trained is not None:
        run.record.provenance["backbone"] = {"trained_on": {**CPU, **trained}}
    run.record.provenance["versions"] = versions or {"torch": "2.6"}
    store.save(run.record, store.predictions(run.key))
    return run


def test_each_circumstance_that_numbers_depend_on_is_named_and_no_other(tmp_path):
    one = recorded(Store(tmp_path / "one"))
    for field, value, line in (
        ("threads", 2, "threads: 1, 2"),
        ("instructions", "AVX2", "vector instructions: AVX512, AVX2"),
        ("blas", ["mkl 1"], "BLAS: mkl 1 + openblas 2, mkl 1"),
        ("cpu", "other", "processor: some, other"),
        ("deterministic", False, "deterministic algorithms: yes, no"),
        ("memory_gib", 16, None),
    ):
        other = recorded(Store(tmp_path / field), **{field: value})
        assert spec_differences(one, other) == ([line] if line else []), field


def test_what_an_older_record_does_not_tell_is_no_difference(tmp_path):
    one, old = recorded(Store(tmp_path / "one")), recorded(Store(tmp_path / "old"))
    del old.record.provenance["hardware"]["instructions"]
    assert spec_differences(one, old) == []
    old.record.provenance = {"hardware": "odd", "backbone": 3, "versions": None}
    assert circumstances(old.record) == {}


def test_the_pre_training_and_versions_count_too(tmp_path):
    one = recorded(Store(tmp_path / "one"), trained={}, versions={"torch": "2.6", "prior-bench": "1"})
    other = recorded(Store(tmp_path / "other"), trained={"threads": 4}, versions={"torch": "2.7"})
    assert spec_differences(one, other) == ["threads of the pre-training: 1, 4", "version of torch: 2.6, 2.7"]


def test_how_a_pre_training_was_computed_counts_too(tmp_path):
    """BatchNorm and dropout of each process see its share of a batch alone; the identity does not tell."""

    def trained(name, *parts):
        run = recorded(Store(tmp_path / name))
        run.record.provenance["backbone"] = {"computed": list(parts)}
        return run

    one = dict(processes=1, device="cpu", precision="float32")
    first = trained("one", one)
    assert spec_differences(first, trained("same", dict(one))) == []
    two = trained("two", {**one, "processes": 2})
    assert spec_differences(first, two) == ["processes of the pre-training: 1, 2"]
    (note,) = mixture_note([first.record, two.record])
    assert note.startswith("The runs differ in processes of the pre-training (1, 2).")
    then = trained("then", {**one, "processes": 2}, one)
    assert circumstances(then.record)["processes of the pre-training"] == "2, then 1"
    assert circumstances(then.record)["precision of the pre-training"] == "float32"
    odd = trained("odd", 3)
    assert not any("pre-training" in name for name in circumstances(odd.record))


def test_the_processor_says_nothing_of_a_gpu(tmp_path):
    gpu = {"device": "cuda", "gpu": "H", "cpu": "some"}
    one = recorded(Store(tmp_path / "one"), **gpu)
    other = recorded(Store(tmp_path / "other"), **{**gpu, "cpu": "other", "threads": 7})
    assert spec_differences(one, other) == []
    assert differences([recorded(Store(tmp_path / "cpu")).record], [one.record]) == ["device: cpu, cuda"]


def test_stores_and_tables_name_them(tmp_path):
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    first, second = recorded(one), recorded(other, threads=2)
    assert circumstances_between(one, other) == ["threads: 1, 2"]
    recorded(other, "B", instructions="AVX2")  # not in the first store
    assert circumstances_between(one, other) == ["threads: 1, 2"]
    assert mixture_note([first.record, copy.deepcopy(first.record)]) == []
    note = "The runs differ in threads (1, 2). Numbers may depend on it (docs/same_numbers.md)."
    assert mixture_note([first.record, second.record]) == [note]


def test_the_note_stands_under_the_table(tmp_path):
    store = Store(tmp_path / "s")
    runs = [recorded(store), recorded(store, "B", threads=2)]
    table = build_table(table_of_entries("t", "T", runs), [store], test=False)
    assert any(note.startswith("The runs differ in threads (1, 2).") for note in table.notes)
