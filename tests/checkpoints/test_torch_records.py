"""Records of torch files are checked before they are read: checksums, sizes, kinds of tensors."""

import pickle
import struct
import zipfile

import pytest
import torch

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.values import require_numbers
from prior_bench.errors import BenchError

STATE = {"a.weight": torch.arange(400.0).reshape(20, 20), "b.weight": torch.ones(100)}


@pytest.fixture
def path(tmp_path):
    torch.save({"state_dict": STATE}, tmp_path / "w.pt")
    return tmp_path / "w.pt"


def rewritten(path, change, kind=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    change(records)
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in records.items():
            archive.writestr(name, content)


def test_a_changed_value_fails_its_checksum(path):
    content = path.read_bytes()
    at = content.index(struct.pack("<4f", 1, 2, 3, 4))
    path.write_bytes(content[:at] + b"\1" + content[at + 1 :])
    with pytest.raises(BenchError, match="w.pt: truncated.*CRC"):
        read_tensors(path)


@pytest.mark.parametrize("share", [0, 0.5, 2])
def test_a_record_of_another_size_is_not_continued_in_the_next(path, share):
    def resize(records):
        records["w/data/0"] = (records["w/data/0"] * 2)[: int(1600 * share)]

    rewritten(path, resize)
    size = f"{int(1600 * share):,}"
    with pytest.raises(BenchError, match=f"the record data/0 has {size} bytes; its tensors need 1,600"):
        read_tensors(path)


def test_swapped_records_of_different_sizes_are_noticed(path):
    def swap(records):
        records["w/data/0"], records["w/data/1"] = records["w/data/1"], records["w/data/0"]

    rewritten(path, swap)
    with pytest.raises(BenchError, match="its tensors need"):
        read_tensors(path)


def test_compressed_records_are_not_read_as_weights(path):
    rewritten(path, lambda records: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(BenchError, match=r"records are compressed.*\n.*torch.save"):
        read_tensors(path)


def test_a_shape_beyond_its_record_asks_for_no_memory(path):
    def enlarge(records):  # the side of the square, as it stands in the pickle
        pickled = records["w/data.pkl"]
        assert pickled.count(b"K\x14K\x14\x86") == 1
        records["w/data.pkl"] = pickled.replace(b"K\x14K\x14\x86", b"J\0\0\0\x30K\x14\x86")

    rewritten(path, enlarge)
    with pytest.raises(BenchError, match="a tensor needs .* bytes, its record 0 has 1,600"):
        read_tensors(path)


def test_a_legacy_file_is_as_long_as_its_tensors(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(STATE, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert torch.equal(read_tensors(path)["a.weight"], STATE["a.weight"])
    path.write_bytes(content[:-1])
    with pytest.raises(BenchError, match="it ends within the record"):
        read_tensors(path)
    at = content.index(struct.pack("<q", 400))
    path.write_bytes(content[:at] + struct.pack("<q", 4 * 10**9) + content[at + 8 :])
    with pytest.raises(BenchError, match="has 4,000,000,000 values"):
        read_tensors(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "make, kind",
    [
        (torch.Tensor.to_sparse, "a sparse tensor"),
        (torch.Tensor.to_sparse_csr, "a sparse tensor"),
        (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "a quantised tensor"),
        (lambda t: t.to("meta"), "a tensor without values"),
    ],
)
def test_tensors_that_are_no_plain_arrays(tmp_path, make, kind, zipped):
    torch.save({"a.weight": make(torch.eye(3))}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BenchError, match=f"w.pt: contains {kind}.*, which is no plain tensor"):
        read_tensors(tmp_path / "w.pt")


@pytest.mark.slow
def test_an_allowed_callable_makes_no_memory(tmp_path):
    class Much:
        def __reduce__(self):
            return bytearray, (6 * 10**9,)

    torch.save({"state_dict": STATE, "more": Much()}, tmp_path / "w.pt")
    with pytest.raises(BenchError, match="more than tensors and plain data.*bytearray"):
        read_tensors(tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes(pickle.dumps(Much(), protocol=2))
    with pytest.raises(BenchError, match="w.pt"):
        read_tensors(tmp_path / "w.pt")


def test_one_value_does_not_stand_for_terabytes(tmp_path):
    torch.save({"a.weight": torch.ones(1).expand(10**6, 10**6)}, tmp_path / "w.pt")
    with pytest.raises(BenchError, match="far more than the file"):
        read_tensors(tmp_path / "w.pt")


def test_an_empty_file(tmp_path):
    (tmp_path / "w.safetensors").touch()
    with pytest.raises(BenchError, match="w.safetensors: truncated: the file is empty"):
        read_tensors(tmp_path / "w.safetensors")


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.uint8])
def test_integers_are_counters_and_indices_but_no_weights(dtype):
    wanted = {"weight": torch.ones(2), "num_batches_tracked": torch.tensor(3)}
    given = {"weight": torch.ones(2, dtype=dtype), "num_batches_tracked": torch.tensor(3)}
    with pytest.raises(BenchError, match=f"no weights: weight has values of type {str(dtype)[6:]}\n"):
        require_numbers(given, wanted, "w.pt")
    require_numbers({**given, "weight": torch.ones(2, dtype=torch.float16)}, wanted, "w.pt")
