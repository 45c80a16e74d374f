import os
import pickle
import random

import pytest
import torch
from safetensors.torch import save_file

from prior_bench.checkpoints.files import read_metadata, read_tensors, sha256
from prior_bench.errors import BenchError

STATE = {"conv1.weight": torch.arange(6.0).reshape(2, 3), "bn1.bias": torch.ones(2)}


class Malicious:
    """Unpickling this would write a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def same(found):
    return found.keys() == STATE.keys() and all(torch.equal(found[k], STATE[k]) for k in STATE)


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}, lambda s: {"model": {"net": s}}]
)
def test_torch_files_plain_and_wrapped(tmp_path, wrap):
    torch.save(wrap(STATE), tmp_path / "w.pth")
    assert same(read_tensors(tmp_path / "w.pth"))
    torch.save(wrap(STATE), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert same(read_tensors(tmp_path / "old.pth"))


def test_safetensors_by_content_not_by_name(tmp_path):
    save_file(STATE, tmp_path / "w.bin", metadata={"a": "b"})
    assert same(read_tensors(tmp_path / "w.bin"))
    assert read_metadata(tmp_path / "w.bin") == {"a": "b"}
    torch.save(STATE, tmp_path / "w.pth")
    assert read_metadata(tmp_path / "w.pth") == {}
    assert len(sha256(tmp_path / "w.bin")) == 64


@pytest.mark.parametrize("name", ["evil.pth", "evil.pkl", "legacy.pth"])
def test_code_is_never_run(tmp_path, name):
    target, path = tmp_path / "written", tmp_path / name
    content = {"state_dict": STATE, "hyper_parameters": Malicious(target)}
    if name == "evil.pkl":
        path.write_bytes(pickle.dumps(Malicious(target), protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=name == "evil.pth")
    with pytest.raises(BenchError, match="more than tensors and plain data") as caught:
        read_tensors(path)
    assert "system" in str(caught.value)
    assert not target.exists()


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.99])
def test_truncated_files_say_so(tmp_path, suffix, keep):
    path = tmp_path / f"w.{suffix}"
    tensors = {f"layer{i}.weight": torch.randn(20, 20) for i in range(10)}
    save_file(tensors, path) if suffix == "safetensors" else torch.save(tensors, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(BenchError, match="truncated"):
        read_tensors(path)


def test_other_files(tmp_path):
    with pytest.raises(BenchError, match="no such checkpoint"):
        read_tensors(tmp_path / "absent.pth")
    (tmp_path / "text.pth").write_text("this is no checkpoint\n")
    with pytest.raises(BenchError, match="text.pth: truncated, or not a weights file"):
        read_tensors(tmp_path / "text.pth")
    torch.save({"epoch": 1}, tmp_path / "empty.pth")
    with pytest.raises(BenchError, match="contains no state dict"):
        read_tensors(tmp_path / "empty.pth")


def test_noise_is_refused_without_torch_s_advice_to_load_it_anyway(tmp_path):
    path = tmp_path / "noise.pt"
    path.write_bytes(bytes(range(7, 256)) * 10)
    with pytest.raises(BenchError) as caught:
        read_tensors(path)
    assert "noise.pt: truncated, or not a weights file" in str(caught.value)
    assert "weights_only" not in str(caught.value)


def test_a_dict_that_contains_itself_ends(tmp_path):
    content = {}
    content["state_dict"] = content
    torch.save(content, tmp_path / "loop.pt")
    with pytest.raises(BenchError, match="contains no state dict"):
        read_tensors(tmp_path / "loop.pt")


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
def test_a_torchscript_archive_is_told_as_such(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "script.pt")
    with pytest.raises(BenchError, match="is a TorchScript archive, which is code, and is not opened"):
        read_tensors(tmp_path / "script.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_whatever_is_damaged_in_a_file_is_one_message(tmp_path, zipped):
    torch.save({"state_dict": STATE}, path := tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    content, draw = path.read_bytes(), random.Random(0)
    refused = 0
    for n in range(200):
        spoiled = bytearray(content)
        for _ in range(3):
            spoiled[draw.randrange(len(spoiled))] = draw.randrange(256)
        (path := tmp_path / f"{n}.pt").write_bytes(spoiled)
        try:
            read_tensors(path)
        except BenchError as error:
            refused += str(path) in str(error)
    assert refused > 50
