import os
import pickle

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
    with pytest.raises(BenchError, match="text.pth: truncated, or no weights file"):
        read_tensors(tmp_path / "text.pth")
    torch.save({"epoch": 1}, tmp_path / "empty.pth")
    with pytest.raises(BenchError, match="holds no state dict"):
        read_tensors(tmp_path / "empty.pth")


def test_noise_is_refused_without_torch_s_advice_to_load_it_anyway(tmp_path):
    path = tmp_path / "noise.pt"
    path.write_bytes(bytes(range(7, 256)) * 10)
    with pytest.raises(BenchError) as caught:
        read_tensors(path)
    assert "noise.pt: truncated, or no weights file" in str(caught.value)
    assert "weights_only" not in str(caught.value)
