"""What Lightning stores beside the tensors is stepped over without importing or running anything."""

import argparse
import collections
import itertools
import pathlib
import pickle
import sys
import types

import pytest
import torch

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.inert import is_allowed
from prior_bench.errors import BenchError

STATE = {"conv1.weight": torch.arange(6.0).reshape(2, 3)}


@pytest.fixture
def write_with(tmp_path, monkeypatch):
    """Writes a checkpoint with an object of a class of that name, whose unpickling would touch a file."""

    def write(dotted, path=tmp_path / "w.ckpt", as_key=False, zipped=True):
        module_name, _, name = dotted.rpartition(".")
        module = types.ModuleType(module_name)
        trace = tmp_path / "ran"

        def touch(self, state):
            trace.touch()

        base = object if "omegaconf" in dotted or as_key else dict
        kind = type(name, (base,), {"__module__": module_name, "__setstate__": touch})
        setattr(module, name, kind)
        for parent in itertools.accumulate(module_name.split("."), lambda a, b: f"{a}.{b}"):
            monkeypatch.setitem(sys.modules, parent, module)
        thing = kind()
        thing.b = 2
        if base is dict:
            thing["a"] = 1
        content = {"state_dict": STATE, "hyper_parameters": {"cfg": [thing]}}
        if as_key:
            content["callbacks"] = {kind: {"best_model_score": torch.tensor(0.5)}}
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        trace.unlink(missing_ok=True)
        return path, trace

    return write


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    "dotted", ["omegaconf.dictconfig.DictConfig", "easydict.EasyDict", "yacs.config.CfgNode"]
)
def test_known_containers_become_nothing(write_with, monkeypatch, dotted, installed, zipped):
    path, trace = write_with(dotted, zipped=zipped)
    if not installed:
        monkeypatch.delitem(sys.modules, dotted.rpartition(".")[0])
    found = read_tensors(path)
    assert found.keys() == STATE.keys() and torch.equal(found["conv1.weight"], STATE["conv1.weight"])
    assert not trace.exists()


def test_classes_of_callbacks_as_keys(write_with):
    path, trace = write_with("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", as_key=True)
    assert read_tensors(path).keys() == STATE.keys() and not trace.exists()


def test_harmless_objects_of_the_standard_library(tmp_path):
    numbers = collections.defaultdict(list, {"a": [1]})
    extra = argparse.Namespace(root=pathlib.Path("/data"), betas=(0.5, 0.999), nested=argparse.Namespace(a=1))
    content = {"state_dict": STATE, "hyper_parameters": extra, "n": numbers, "s": collections.Counter("aab")}
    torch.save(content, tmp_path / "w.ckpt")
    assert read_tensors(tmp_path / "w.ckpt").keys() == STATE.keys()


def test_anything_else_is_refused_by_its_name(write_with):
    path, trace = write_with("someones.training.Config")
    with pytest.raises(
        BenchError, match=r"w.ckpt: contains more than.*someones\.training\.Config\n  fix: if you"
    ):
        read_tensors(path)
    assert not trace.exists()


class Calls:
    """Its unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("function", [exec, eval, getattr, __import__])
def test_built_in_functions_are_not_called(tmp_path, function, zipped):
    target = tmp_path / "written"
    call = (
        Calls(function, f"open({str(target)!r}, 'w')")
        if function is not getattr
        else Calls(getattr, "", "join")
    )
    hidden = {"state_dict": STATE, "hyper_parameters": argparse.Namespace(x=call)}
    torch.save(hidden, tmp_path / "evil.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BenchError, match=rf"more than tensors and plain data.*{function.__name__}"):
        read_tensors(tmp_path / "evil.ckpt")
    assert not target.exists()


def test_a_plain_pickle_is_no_way_in(tmp_path):
    target = tmp_path / "written"
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Calls(exec, f"open({str(target)!r}, 'w')"), protocol=2))
    with pytest.raises(BenchError, match="more than tensors and plain data"):
        read_tensors(tmp_path / "evil.pt")
    assert not target.exists()


def test_the_allow_list_has_no_functions_that_act():
    for name in (
        "builtins.eval",
        "builtins.exec",
        "builtins.getattr",
        "os.system",
        "posix.system",
        "pickle.loads",
    ):
        assert not is_allowed(name)
    assert not is_allowed("pytorch_lightning.callbacks.x.y; import os")
