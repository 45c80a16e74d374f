from dataclasses import replace

import pytest

from prior_bench import paths
from prior_bench.errors import BenchError, ErrorList
from prior_bench.pretraining.config import from_dict, load_config
from prior_bench.pretraining.identity import run_identity
from prior_bench.versions import MACHINERY

SHIPPED = sorted(p.stem for p in (paths.shipped("configs") / "pretrain").glob("*.py"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_are_valid_and_say_how_to_run_them(name):
    config = load_config(name)
    assert config.name == name
    text = (paths.shipped("configs") / "pretrain" / f"{name}.py").read_text()
    assert f"pretrain {name}\n" in text.split('"""')[1]


def test_all_errors_come_together(values):
    values["dat"] = 1
    values["batch_size"] = 1
    values["data"] |= dict(dataset="mimic", text="words", transform=dict(RandomErase={}))
    values["optimizer"] = dict(typ="Adam")
    values["schedule"] = dict(warmup_epochs=1)
    values["method"]["image_encoder"]["modelname"] = "resnet18"
    values["method"]["temprature"] = 1
    with pytest.raises(ErrorList) as caught:
        from_dict(values, where="here.py")
    message = str(caught.value)
    assert message.startswith("here.py: ")
    assert len(caught.value.errors) == 9
    for part in (
        "'dat'",
        "batch_size",
        "'mimic'",
        "'words'",
        "RandomErase",
        "'typ'",
        "schedule.epochs",
        "'modelname'",
    ):
        assert part in message
    assert "did you mean temperature" in message


def test_overrides_use_dotted_keys():
    config = load_config("convirt_sample", {"schedule.epochs": 2, "method.image_encoder.pool": "attention"})
    assert config.schedule.epochs == 2 and config.method["image_encoder"]["pool"] == "attention"
    with pytest.raises(BenchError, match="unknown key 'epoch'"):
        load_config("convirt_sample", {"schedule.epoch": 2})


def test_unknown_config_names_the_near_one():
    with pytest.raises(BenchError, match="did you mean convirt_sample"):
        load_config("convirt_sampel")


def test_identity_changes_with_what_matters_only(values):
    def identity(fingerprint="f", seed=0, **changes):
        return run_identity(from_dict({**values, **changes}), fingerprint, seed)

    same = identity()
    assert same == identity(name="other", log=("tensorboard",), keep_checkpoints=9)
    changed = [identity("g"), identity(seed=1), identity(batch_size=4), identity(clip_grad=None)]
    assert len({same, *changed}) == 5


def test_identity_holds_declared_versions_and_no_place_of_our_hooks(values, monkeypatch):
    from baselines.mgca.schedule import FreezePrototypes
    from prior_bench.registry import METHODS

    method = METHODS.get(values["method"]["type"])

    def identity(place="baselines.mgca.schedule.FreezePrototypes"):
        return run_identity(from_dict({**values, "hooks": [dict(type=place, epochs=1)]}, stored=True), "f", 0)

    same = identity()
    assert identity("prior_bench.moved.here.FreezePrototypes") == same
    with monkeypatch.context() as patch:
        patch.setitem(values, "data", {**values["data"], "dataset": "mimic_cxr@/one/place"})
        here = identity()
        patch.setitem(values, "data", {**values["data"], "dataset": "mimic_cxr@/other/place"})
        assert identity() == here
    assert identity("other.package.FreezePrototypes") != same  # nobody knows whether it is the same class
    changed = []
    for target in (FreezePrototypes, method):
        with monkeypatch.context() as patch:
            patch.setattr(target, "version", 2, raising=False)
            changed.append(identity())
    with monkeypatch.context() as patch:
        patch.setitem(MACHINERY, "losses", replace(MACHINERY["losses"], version=2))
        changed.append(identity())
        patch.setitem(MACHINERY, "features", replace(MACHINERY["features"], version=2))
        assert identity() == changed[-1]  # of evaluation, not of training
    assert len({same, *changed}) == 4
