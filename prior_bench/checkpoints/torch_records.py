"""Check the records of a torch file before its tensors are read: checksums, sizes and kinds of tensors.

``torch.load`` trusts what a file says of its records. With memory mapping, it skips the checksums of the zip
archive; a record that is too short is continued in the next one; a shape that needs more than its record is
given new memory. Here, the same unpickler reads the same pickle with storages that have no memory.
"""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import torch
from torch._weights_only_unpickler import Unpickler  # the one that torch.load uses, so that both see the same

from prior_bench.checkpoints.pickled_calls import check_calls
from prior_bench.errors import BenchError

NO_PLAIN_TENSORS = {
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_qtensor": "a quantised tensor",
    "_rebuild_meta_tensor_no_storage": "a tensor without values (of the device 'meta')",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_wrapper_subclass": "a tensor of another class",
    "_rebuild_device_tensor_from_numpy": "a tensor of another device",
    "_rebuild_device_tensor_from_cpu_tensor": "a tensor of another device",
}
"""Functions of ``torch._utils`` that make tensors which are no plain arrays, with what they make."""
NEEDLESS = ("builtins.bytearray",)
"""Callables that torch allows in a file and that can ask for any amount of memory."""
AT_ONCE = 1 << 20


def check_records(path: Path) -> None:
    """Check a torch file of either format; it is read once as long as it does not change.

    To be called where :func:`prior_bench.checkpoints.inert.stand_ins` is in force.

    Raises:
        BenchError: a record is damaged, or too small for the tensors that it is said to hold; or the file
            contains tensors that are no plain arrays.
        Exception: the pickle is damaged, as torch.load would raise it.
    """
    state = path.stat()
    _checked(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=64)  # a plan reads names and shapes of one file several times
def _checked(path: Path, size: int, changed: int, inode: int) -> None:
    if zipfile.is_zipfile(path) and _begins_as_zip(path):
        _check_zip(path, size)
    else:
        _check_legacy(path, size)


def _begins_as_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"  # as torch decides


def _check_zip(path: Path, size: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.filename.endswith("/constants.pkl") for member in members):
            return  # TorchScript, which torch.load refuses by its name
        for name, count in Counter(member.filename for member in members).items():
            if count > 1:
                raise damaged(path, f"the record {name} occurs {count} times")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:
                what = "its records are compressed, which torch.load does not read"
                raise BenchError(
                    what, where=path, fix="save it again: torch.save(torch.load(file), 'out.pt')"
                )
            if member.file_size > size:
                raise damaged(path, f"the record {member.filename} is larger than the file")
            with archive.open(member) as record:  # reading to the end compares the checksum
                while record.read(AT_ONCE):
                    pass
        (pickled,) = [m for m in members if m.filename.count("/") == 1 and m.filename.endswith("/data.pkl")]
        folder = pickled.filename.removesuffix("data.pkl")
        sizes = {m.filename.removeprefix(f"{folder}data/"): m.file_size for m in members}
        with archive.open(pickled) as file:
            _require_plain(file, path)
            stated = _Storages(file)
            stated.load()
    stated.require_bounds(path)
    for key, nbytes in stated.sizes.items():
        if sizes.get(key) != nbytes:
            has = f"has {sizes[key]:,} bytes" if key in sizes else "is missing"
            raise damaged(path, f"the record data/{key} {has}; its tensors need {nbytes:,}")


def _check_legacy(path: Path, size: int) -> None:
    with open(path, "rb") as file:
        _require_plain(file, path)
        if Unpickler(file).load() != torch.serialization.MAGIC_NUMBER:
            return  # torch.load says that it is no file of torch
        for _ in range(2):  # protocol and system
            _require_plain(file, path)
            Unpickler(file).load()
        _require_plain(file, path)
        stated = _Storages(file)
        stated.load()
        stated.require_bounds(path)
        _require_plain(file, path)
        keys = Unpickler(file).load()
        if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(stated.sizes):
            raise damaged(path, "its list of records is not that of its tensors")
        place = file.tell()
        for key in map(str, keys):
            file.seek(place)
            beginning = file.read(8)
            if len(beginning) < 8:
                raise damaged(path, f"it ends before the record {key}")
            (numel,) = struct.unpack("<q", beginning)
            if numel * stated.widths[key] != stated.sizes[key]:
                raise damaged(path, f"the record {key} has {numel:,} values, its tensors need others")
            place += 8 + stated.sizes[key]
            if place > size:
                raise damaged(path, f"it ends within the record {key}")


class _Storages(Unpickler):
    """Unpickles a file with storages that have no memory, and notes what the file says of them.

    Attributes:
        sizes: bytes of each storage, by its key.
        widths: bytes of one value of each storage, by its key.
    """

    def __init__(self, file: IO[bytes]):
        super().__init__(file, encoding="utf-8")
        self.sizes: dict[str, int] = {}
        self.widths: dict[str, int] = {}
        self._made: dict[str, torch.UntypedStorage] = {}

    def persistent_load(self, pid: Any) -> Any:
        """Return a storage without memory for what torch.load would read."""
        _, kind, key, _, numel, *view = pid
        dtype = torch.uint8 if kind is torch.UntypedStorage else kind.dtype
        key, nbytes = str(key), int(numel) * dtype.itemsize
        if nbytes < 0 or self.sizes.setdefault(key, nbytes) != nbytes:
            raise ValueError(f"the record {key} has two sizes")
        self.widths.setdefault(key, dtype.itemsize)
        if key not in self._made:
            self._made[key] = torch.UntypedStorage(nbytes, device="meta")
        storage = self._made[key]
        if view and view[0] is not None:
            _, offset, length = view[0]
            if offset < 0 or length < 0 or (offset + length) * dtype.itemsize > nbytes:
                raise ValueError(f"a part of the record {key} is outside it")
            storage = torch.UntypedStorage(length * dtype.itemsize, device="meta")
        return torch.storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)

    def require_bounds(self, path: Path) -> None:
        """Raise BenchError if a tensor is larger than its storage, which torch has then enlarged."""
        for key, storage in self._made.items():
            if storage.nbytes() > self.sizes[key]:
                what = f"a tensor needs {storage.nbytes():,} bytes, its record {key} has {self.sizes[key]:,}"
                raise damaged(path, what)


def _require_plain(file: IO[bytes], path: Path) -> None:
    """Raise BenchError if a pickle makes tensors that are no plain arrays, or calls what it should not."""
    begin = file.tell()
    for name in sorted(check_calls(file, path)):
        if name in NEEDLESS:
            what = f"contains more than tensors and plain data, and is not opened: {name}"
            raise BenchError(what, where=path, fix="save its state dict alone")
        if kind := NO_PLAIN_TENSORS.get(name.removeprefix("torch._utils.")):
            fix = (
                "save plain tensors: t.to_dense() of a sparse one, t.dequantize() of a quantised one, t.cpu()"
            )
            raise BenchError(f"contains {kind}, which is no plain tensor", where=path, fix=fix)
    file.seek(begin)


def damaged(path: Path, what: str) -> BenchError:
    """Return the error for a file whose records are not what it says."""
    return BenchError(f"truncated or damaged: {what}", where=path, fix="copy or download it again")
