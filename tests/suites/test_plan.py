import fake_parts
import pytest

from prior_bench.errors import BenchError, ErrorList
from prior_bench.suites import plan as plans
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import Suite, load_suite


def tiny(tmp_path) -> Suite:
    return load_suite(str(fake_parts.suite_config(tmp_path)))


def test_plan_is_the_product_in_the_order_of_the_config(tmp_path):
    plan = expand(tiny(tmp_path))
    assert len(plan.runs) == 2 * 2 * 4
    assert [run.label for run in plan.runs[:4]] == [
        "Low · fake · fake · fake/plain · 10 % · seed 0",
        "Low · fake · fake · fake/plain · 100 % · seed 0",
        "Low · fake · fake · fake/odd · 100 % · seed 0",
        "Low · fake_text · fake · fake/text · 100 % · seed 0",
    ]
    assert len({run.key for run in plan.runnable()}) == len(plan.runnable()) == 14


def test_a_row_without_text_tower_is_a_cell_with_a_reason_not_an_error(tmp_path):
    reasons = [run.reason for run in expand(tiny(tmp_path)).runs if run.spec.task == "fake_text"]
    assert reasons == [plans.NO_TEXT] * 2 + [""] * 2


def test_changed_data_changes_the_key(tmp_path):
    suite = tiny(tmp_path)
    before = expand(suite).runs[0].key
    (tmp_path / "data" / "fake" / "3.png").write_bytes(b"now there")
    assert expand(suite).runs[0].key != before


def test_all_problems_are_reported_together(tmp_path):
    path = fake_parts.suite_config(
        tmp_path,
        """
backbones = [
    dict(name="A", type="faek"), dict(name="B", type="fake", vlaue=1),
    dict(name="C", type="fake", value=-1.0), dict(name="C", type="fake"),
]
evaluations = [
    dict(task="fakke", data="fake", protocol="fake/plain"),
    dict(task="fake", data="fakes", protocol="fake/plian"),
    dict(task="fake", data="fake@nowhere", protocol="fake/plain", fractions=[0, 1.0]),
    dict(task="fake", data="fake", protocol="fake/text", fraction=1),
    dict(task="fake", data="fake", protocol="fake/plain", overrides=dict(batchsize=3), backbones=["Z"]),
]
seeds = [0, "one"]
""",
    )
    with pytest.raises(ErrorList) as caught:
        expand(load_suite(str(path)))
    message = str(caught.value)
    assert len(caught.value.errors) == 14
    for part in (
        "backbones[0].type: unknown backbone 'faek'",
        "backbones[1]: type 'fake': unknown key 'vlaue'\n  fix: did you mean value?",
        "backbones[2]: value: value must not be negative",
        "backbones[3].name: the name 'C' is taken",
        "evaluations[0].task: unknown task 'fakke'",
        "did you mean fake",
        "evaluations[1].data: unknown data set 'fakes'",
        "evaluations[1].protocol: unknown protocol 'fake/plian'",
        f"evaluations[2].data: {tmp_path}/data/nowhere: the data set fake is not there",
        "fake@DIR",
        "evaluations[2].fractions: is [0, 1.0]; must be a share in (0, 1]",
        "evaluations[3]: unknown key 'fraction'",
        "evaluations[3].protocol: not for the task 'fake'",
        "evaluations[4].protocol: unknown key 'batchsize'\n  fix: did you mean batch_size?",
        "evaluations[4].backbones: no row is named 'Z'",
        "seeds: is [0, 'one']; must be a seed",
    ):
        assert part in message, f"{part!r} not in:\n{message}"
    assert not (tmp_path / "results").exists()


def test_options_that_the_reader_does_not_take(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations = [dict(task="fake", data=dict(type="fake", spilt="x"), protocol="fake/plain")]
    with pytest.raises(ErrorList, match="data set 'fake': unknown key 'spilt'"):
        expand(suite)


def test_what_the_data_shows_is_reported_before_any_work(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations = [
        dict(task="fake", data="fake", protocol="fake/refuses"),
        dict(task="fake", data="fake", protocol="fake/plain"),
    ]
    with pytest.raises(ErrorList, match=r"evaluations\[0\]: the protocol asks for what the data lacks"):
        expand(suite)


def test_an_absent_data_set_can_be_tolerated_as_a_reason(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations[1]["data"] = "fake@nowhere"
    plan = expand(suite, tolerate_absent=True)
    assert {run.reason for run in plan.runs if run.spec.protocol["name"] == "fake/odd"} == {"data not there"}
    assert len(plan.absent) == 1 and "nowhere" in plan.absent[0]


def test_unknown_and_missing_suite_keys(tmp_path):
    path = fake_parts.suite_config(tmp_path, "backbones = []\nevaluation = []\n")
    with pytest.raises(ErrorList) as caught:
        load_suite(str(path))
    assert "did you mean evaluations" in str(caught.value)
    assert "the key 'evaluations' is missing" in str(caught.value)
    path.write_text("backbones = [\n")
    with pytest.raises(BenchError, match="tiny.py: cannot be read"):
        load_suite(str(path))
    with pytest.raises(BenchError, match="unknown config in suites 'demoo'"):
        load_suite("demoo")


def test_only_narrows_the_plan(tmp_path):
    suite = tiny(tmp_path)
    plan = expand(suite, only=["backbone=High", "fraction=1.0", "seed=1", "protocol=fake/odd"])
    assert [run.label for run in plan.runs] == ["High · fake · fake · fake/odd · 100 % · seed 1"]
    assert plan.partial
    with pytest.raises(BenchError, match="'row=High' is not a filter"):
        expand(suite, only=["row=High"])
    with pytest.raises(BenchError, match="--only: 'all' is not a fraction"):
        expand(suite, only=["fraction=all"])
    with pytest.raises(BenchError, match="nothing to run"):
        expand(suite, only=["backbone=Higher"])


def test_only_needs_no_other_data(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations[1]["data"] = "fake@nowhere"
    assert expand(suite, only=["task=fake_text", "backbone=High"]).runs


def test_overrides_change_protocol_and_its_name(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations = [dict(task="fake", data="fake", protocol="fake/plain", overrides={"batch_size": 2})]
    spec = expand(suite).runs[0].spec
    assert spec.protocol["batch_size"] == 2
    assert spec.protocol["name"] == "fake/plain (changed: batch_size)"


def test_absent_weights_can_be_tolerated_as_a_reason(tmp_path):
    suite = tiny(tmp_path)
    suite.backbones += [
        dict(name="File", type="checkpoint", path=str(tmp_path / "nobody.ckpt")),
        dict(name="Trained", type="pretrain", config="convirt_r50_mimic"),
    ]
    with pytest.raises(ErrorList, match=r"nobody.ckpt: no such"):
        expand(suite)
    plan = expand(suite, tolerate_absent=True)
    reasons = {run.spec.backbone["name"]: run.reason for run in plan.runs}
    assert reasons["File"] == "weights not there" and reasons["Trained"] == "pre-training data not there"
    assert not reasons["High"] and len(plan.runnable()) == 14
    assert any("nobody.ckpt" in text for text in plan.absent) and any("mimic_cxr" in t for t in plan.absent)


def test_what_a_tasks_method_lacks_is_the_reason_of_its_cells(tmp_path, monkeypatch):
    class Global:
        """A method."""

    seen = []

    def lacks(self, method, protocol):
        seen.append((method, protocol.name))
        return "no local features" if method is Global else ""

    monkeypatch.setattr(fake_parts.FakeTextTask, "lacks", lacks, raising=False)
    assert [run.reason for run in expand(tiny(tmp_path)).runs if run.spec.task == "fake_text"][2:] == ["", ""]
    assert not seen, "the source does not say which class it has"
    monkeypatch.setattr(fake_parts.FakeBackbone, "method_class", Global, raising=False)
    runs = [run for run in expand(tiny(tmp_path)).runs if run.spec.task == "fake_text"]
    assert [run.reason for run in runs] == [plans.NO_TEXT] * 2 + ["no local features"] * 2
    assert set(seen) == {(Global, "fake/text")}
