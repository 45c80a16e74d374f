"""Pickles of torch files call what is harmless, with what torch.save gives it."""

import argparse
import collections
import struct
import zipfile

import pytest
import torch

from prior_bench.checkpoints import pickled_calls
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.training_states import read_state
from prior_bench.errors import BenchError


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def tupled(*parts):
    return b"(" + b"".join(parts) + b"t"


def dictionary(*parts):
    return b"}(" + b"".join(parts) + b"u"


def call(module, name, *arguments):
    return named(module, name) + tupled(*arguments) + b"R"


NONE = b"N"
ORDERED = call("collections", "OrderedDict")
STORAGE = tupled(text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), number(1)) + b"Q"


def rebuilt(count=1, step=1):
    """The arguments of a tensor of one stored value; with a step of 0 it stands for all of them."""
    return tupled(STORAGE, number(0), tupled(number(count)), tupled(number(step)), b"\x89", ORDERED)


def tensor(count=1, step=1):
    return named("torch._utils", "_rebuild_tensor_v2") + rebuilt(count, step) + b"R"


def with_attributes(state, made_by=("torch._utils", "_rebuild_tensor_v2"), arguments=None):
    kind, given = named("torch", "Tensor"), arguments or rebuilt()
    return call("torch._tensor", "_rebuild_from_type_v2", named(*made_by), kind, given, state)


def written(path, pickled):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/data.pkl", b"\x80\x02" + pickled + b".")
        archive.writestr("w/data/0", struct.pack("<f", 1))
        archive.writestr("w/version", "3\n")
        archive.writestr("w/byteorder", "little")
    return path


MANY = 100_000_000
SET = named("builtins", "set")
REFUSED = {
    "set of a tensor": (call("builtins", "set", tensor(MANY, 0)), "builtins.set of what is no list"),
    "counts of a tensor": (call("collections", "Counter", tensor(MANY, 0)), "Counter of what is no list"),
    "shape of a tensor": (call("torch", "Size", tensor(MANY, 0)), "torch.Size of what is no list"),
    "a tensor as the arguments": (SET + tensor(MANY, 0) + b"R", "a call that pickle does not write"),
    "the result of a call is called": (call("builtins", "complex") + b")R", "a call that pickle does not"),
    "another type of all values": (
        call(
            "torch._utils",
            "_rebuild_device_tensor_from_cpu_tensor",
            tensor(MANY, 0),
            named("torch", "float64"),
            NONE,
            b"\x89",
        ),
        "a tensor of another device",
    ),
    "another spelling of a sparse tensor": (
        call("torch", "_utils._rebuild_sparse_tensor", NONE, NONE),
        "a sparse tensor",
    ),
    "memory of another process": (call("torch", "Tensor", number(1000)), "is not opened: torch.Tensor"),
    "a storage without a record": (
        call("torch.storage", "UntypedStorage", number(2**31 - 1)),
        "is not opened: torch.storage.UntypedStorage",
    ),
    "bytes in hexadecimal": (call("_codecs", "encode", text("ab"), text("hex")), "in another encoding"),
    "bytes by another call": (call("_codecs", "encode", tensor(), text("latin1")), "in another encoding"),
    "one text many times": (
        b"](" + text("a" * 5000) + b"q\1" + call("_codecs", "encode", b"h\1", text("latin1")) * 1000 + b"e",
        "copied many times",
    ),
    "one list many times": (
        b"](" + tupled(number(1) * 5000) + b"q\1" + call("builtins", "set", b"h\1") * 1000 + b"e",
        "copied many times",
    ),
    "tuples inside each other": (b")" + b"\x85" * 101, "more than 100 tuples inside each other"),
    "a tuple around lists and tuples": (
        b")" + b"\x85" * 60 + b"q\1]h\1a\x85" + b"\x85" * 60,
        "more than 100",
    ),
    "a number of values": (with_attributes(dictionary(text("numel"), SET)), "attribute numel is set"),
    "the same by pairs": (
        with_attributes(call("collections", "OrderedDict", b"](" + tupled(text("numel"), SET) + b"e")),
        "attribute numel is set",
    ),
    "the same in slots": (
        with_attributes(tupled(NONE, dictionary(text("numel"), SET))),
        "attribute numel is set",
    ),
    "the same of a parameter": (
        call(
            "torch._utils",
            "_rebuild_parameter_with_state",
            tensor(),
            b"\x89",
            ORDERED,
            dictionary(text("numel"), SET),
        ),
        "attribute numel is set",
    ),
    "a call through another one": (
        with_attributes(NONE, ("builtins", "set"), tupled(tensor(MANY, 0))),
        "that is no tensor",
    ),
    "items of a dict": (ORDERED + dictionary(text("items"), SET) + b"b", "attribute items is set"),
    "keys of a stand-in for a dict": (
        call("easydict", "EasyDict") + dictionary(text("keys"), SET) + b"b",
        "attribute keys is set",
    ),
}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(pickled_calls, "MOST_OPERATIONS", 1_000_000)


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_no_weights_need_is_refused(what, tmp_path, few):
    pickled, why = REFUSED[what]
    file = written(tmp_path / "w.pth", dictionary(text("a"), tensor(), text("b"), pickled))
    for read in (read_tensors, read_state):
        with pytest.raises(BenchError, match=f"w.pth: .*{why}"):
            read(file)


def test_a_pickle_has_a_limit_of_operations(tmp_path, monkeypatch):
    pickled = dictionary(text("a"), tensor(), text("b"), b"](" + b"N" * 500 + b"e")
    read_tensors(written(tmp_path / "w.pth", pickled))
    monkeypatch.setattr(pickled_calls, "MOST_OPERATIONS", 500)
    with pytest.raises(BenchError, match="more than 500 operations"):
        read_tensors(written(tmp_path / "v.pth", pickled))


@pytest.mark.parametrize("part", range(5))
def test_each_pickle_of_the_older_format_is_checked(part, tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    content, at = (tmp_path / "w.pth").read_bytes(), 0
    for _ in range(part):
        at = content.index(b".\x80\x02", at) + 1
    spoiled = content[: at + 2] + call("torch", "Tensor", number(1000)) + b"0" + content[at + 2 :]
    (tmp_path / "w.pth").write_bytes(spoiled)
    with pytest.raises(BenchError, match=r"is not opened: torch\.Tensor"):
        read_tensors(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_what_training_scripts_write_is_read(zipped, tmp_path):
    marked, parameter = torch.ones(2), torch.nn.Parameter(torch.ones(3))
    marked.is_norm, parameter.no_decay = True, True
    ordered = collections.OrderedDict(a=marked, b=parameter, c=torch.ones(2, 2).half())
    ordered._metadata = {"": {"version": 1}}
    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    torch.save(
        {
            "state_dict": ordered,
            "hyper_parameters": argparse.Namespace(data="x", items=3, numel=5),
            "counts": collections.Counter("abc"),
            "shape": torch.ones(2, 3).shape,
            "device": torch.device("cpu"),
            "seen": {1, 2},
            "raw": b"\x00\xff bytes",
            "optimizer": optimizer.state_dict(),
            "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1).state_dict(),
            "groups": collections.defaultdict(int, a=1),
        },
        tmp_path / "w.pth",
        _use_new_zipfile_serialization=zipped,
    )
    assert {name: tuple(value.shape) for name, value in read_tensors(tmp_path / "w.pth").items()} == {
        "a": (2,),
        "b": (3,),
        "c": (2, 2),
    }
