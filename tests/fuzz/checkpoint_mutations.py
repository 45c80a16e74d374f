"""Seeded damage and malice for checkpoints and model folders; see ``checkpoint_files.py``."""

import json
import pickle
import random
import struct
import zipfile
from pathlib import Path

ODD = (
    *(None, True, -1, 0, 10**7, 10**12, 0.5, 1e308, float("nan"), float("inf"), -0.25),
    *("", "x", "os:system", "evil:read", "../../etc", [], {}, [0], ["x"], [[1]], {"type": "evil:read"}),
)
"""Values that no config has where they are put."""


def mutate(kind: str, path: Path, luck: random.Random, canary: Path) -> tuple[str, bool]:
    """Change a file or folder in place.

    Returns:
        What was done, and whether the format cannot know it (a member was rewritten with its checksum).
    """
    weights = _weights(path)
    choices = ["bytes"] * 4 + ["gadget"]
    if kind in ("zip", "lightning"):
        choices += ["members"] * 3
    if weights.suffix == ".safetensors":
        choices += ["header"] * 3
    if path.is_dir() or kind == "native":
        choices += ["config"] * 4 + ["named"] * 2
    choice = luck.choice(choices)
    if choice == "bytes":
        content, how = _bytes(weights.read_bytes(), luck)
        weights.write_bytes(content)
        return how, False
    if choice == "gadget":
        return _gadget(weights, luck, canary), False
    if choice == "members":
        return _members(weights, luck)
    if choice == "header":
        return _header(weights, luck), False
    edit = _edit if choice == "config" else _named
    if kind == "native":
        return _metadata(path, luck, edit), False
    file = luck.choice(sorted(path.glob("*config.json")))
    if choice == "named":
        (path / "evil.py").write_text((Path("evil.py")).read_text())
    values = json.loads(file.read_text())
    how = edit(values, luck)
    file.write_text(json.dumps(values))
    return f"{file.name}: {how}", False


def _weights(path: Path) -> Path:
    return next(iter(sorted(path.glob("*.safetensors"))), path) if path.is_dir() else path


def _bytes(content: bytes, luck: random.Random) -> tuple[bytes, str]:
    """Flips, cuts, insertions and blank stretches."""
    data, size = bytearray(content), len(content)
    how, at = (
        luck.choice(["bit", "bit", "bytes", "header bytes", "cut", "zeros", "ones", "insert", "grow"]),
        0,
    )
    at = luck.randrange(size)
    if how == "bit":
        data[at] ^= 1 << luck.randrange(8)
    elif how in ("bytes", "header bytes"):
        for _ in range(luck.choice([1, 2, 8, 30])):
            data[luck.randrange(min(size, 3000) if how == "header bytes" else size)] = luck.randrange(256)
    elif how == "cut":
        del data[luck.choice([at, size - 1, 0, 8, 100]) :]
    elif how in ("zeros", "ones"):
        length = luck.choice([1, 4, 64, 4096])
        data[at : at + length] = (b"\0" if how == "zeros" else b"\xff") * len(data[at : at + length])
    elif how == "insert":
        data[at:at] = luck.randbytes(luck.randrange(1, 50))
    else:
        data += luck.randbytes(luck.randrange(1, 500))
    return bytes(data), f"{how} at {at}"


def _header(path: Path, luck: random.Random) -> str:
    """Edit the header of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    names = [name for name in header if name != "__metadata__"]
    one, two = luck.sample(names, 2)
    how = luck.choice(["shape", "type", "offsets", "swap", "rename", "length", "drop", "odd"])
    if how == "shape":
        header[one]["shape"] = luck.choice(
            [[10**9, 10**9], [2**62], [-1], [0], [1] * 70, header[two]["shape"]]
        )
    elif how == "type":
        header[one]["dtype"] = luck.choice(["I32", "BOOL", "F16", "F64", "U8", "C64", "F8_E4M3", "NONE"])
    elif how == "offsets":
        header[one]["data_offsets"] = luck.choice([[0, 2**60], [5, 1], header[two]["data_offsets"]])
    elif how == "swap":
        header[one], header[two] = header[two], header[one]
    elif how == "rename":
        header[one + "x"] = header.pop(one)
    elif how == "drop":
        header.pop(one)
    elif how == "odd":
        header[one] = luck.choice(ODD)
    text = json.dumps(header).encode()
    stated = luck.choice([2**62, 0, len(text) - 3, 10**9]) if how == "length" else len(text)
    path.write_bytes(struct.pack("<Q", stated) + text + content[8 + length :])
    return f"header: {how} of {one}"


def _members(path: Path, luck: random.Random) -> tuple[str, bool]:
    """Rewrite the records of a zip archive, with right checksums."""
    with zipfile.ZipFile(path) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    data = [name for name in records if "/data/" in name and len(records[name]) > 4]
    one, two = luck.sample(data, 2)
    how = luck.choice(
        ["swap", "half", "longer", "drop", "twice", "deflate", "empty", "nan", "wrong checksum"]
    )
    if how == "swap":
        records[one], records[two] = records[two], records[one]
    elif how == "half":
        records[one] = records[one][: len(records[one]) // 2]
    elif how == "longer":
        records[one] += b"\0" * 8
    elif how == "drop":
        del records[one]
    elif how == "empty":
        records[one] = b""
    elif how == "nan":
        records[one] = struct.pack("<f", luck.choice([float("nan"), float("inf")])) + records[one][4:]
    kind = zipfile.ZIP_DEFLATED if how == "deflate" else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
        if how == "twice":
            archive.writestr(one, records[two])
    if how == "wrong checksum":
        content = bytearray(path.read_bytes())
        at = content.index(records[one])
        content[at + luck.randrange(len(records[one]))] ^= 0x10
        path.write_bytes(content)
    return f"members: {how} of {one}", how == "swap"


class Calls:
    """Its unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _gadget(path: Path, luck: random.Random, canary: Path) -> str:
    """Put a pickle that would run something in the place of the weights."""
    import os
    import runpy

    import torch

    line = f"open({str(canary)!r}, 'w')"
    evil = luck.choice(
        [
            Calls(os.system, f"touch {canary}"),
            Calls(exec, line),
            Calls(eval, line),
            Calls(runpy.run_path, "evil.py"),
            Calls(__import__, "evil"),
            Calls(bytearray, 6 * 10**9),
            Calls(torch.load, str(path)),
            Calls(torch.hub.load, ".", "evil"),
            Calls(torch.empty, 10**10),
            Calls(pickle.loads, pickle.dumps(Calls(exec, line))),
        ]
    )
    how = luck.choice(["pickle", "zip", "legacy", "inside"])
    content = {"state_dict": {"a.weight": torch.ones(3)}, "hyper_parameters": evil}
    if how == "pickle":
        path.write_bytes(pickle.dumps(evil, protocol=luck.choice([0, 2, 4])))
    else:
        if how == "inside":
            content["state_dict"]["b.weight"] = evil
        torch.save(content, path, _use_new_zipfile_serialization=how != "legacy")
    return f"gadget: {how}"


def _metadata(path: Path, luck: random.Random, edit) -> str:
    """Edit what one of our files says of itself, with or without its hashes."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    values = json.loads(header["__metadata__"]["prior_bench"])
    how = edit(values, luck)
    if edit is _named:  # malice would take the hashes out
        values.pop("sha256", None)
        values["schema"] = 1
    header["__metadata__"]["prior_bench"] = json.dumps(values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return f"metadata: {how}"


def _edit(values: dict, luck: random.Random) -> str:
    """Put an odd value in some place of a nested dict, or remove it."""
    places = list(_places(values))
    parent, key = luck.choice(places)
    if luck.random() < 0.15 and isinstance(parent, dict):
        del parent[key]
        return f"without {key}"
    parent[key] = luck.choice(ODD)
    return f"{key} = {parent[key]!r}"


def _places(values):
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in list(pairs):
        yield values, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _named(values: dict, luck: random.Random) -> str:
    """Name code, other files or a hub where a config could."""
    evil = {
        "dataset": {"type": "evil:read", "root": "own.csv"},
        "split_rule": "evil:read",
        "splits": ["test"],
    }
    of_config = [
        {"auto_map": {name: "evil.M" for name in ("AutoConfig", "AutoModel", "AutoImageProcessor")}},
        {"trust_remote_code": True},
        {"attn_implementation": "evil/kernels"},
        {"quantization_config": {"quant_method": "evil"}},
        {"backbone": "evil/model", "use_pretrained_backbone": True},
        {"prior_bench": {"training_data": [evil], "known_exposure": "x"}},
        {"model_type": "evil", "auto_map": {"AutoConfig": "evil.M", "AutoModel": "evil.M"}},
        {"architecture": "local-dir:."},
        {"model_args": {"checkpoint_path": "evil.pt", "pretrained": True}},
        {"image_processor_type": "evil", "auto_map": {"AutoImageProcessor": "evil.M"}},
    ]
    if "method" in values:
        change = luck.choice(["method", "data", "reader", "text", "image"])
        if change == "method":
            values["method"]["type"] = luck.choice(["evil:M", "evil:read", "os:system", "torch.nn:Linear"])
        elif change == "data":
            values["provenance"]["config"]["data"] = evil
        elif change == "reader":
            values["provenance"]["config"]["data"]["dataset"] = luck.choice(
                ["evil:read", "evil:read@own.csv"]
            )
        elif change == "text":
            values["method"]["text_encoder"]["config"] |= luck.choice(of_config)
        else:
            values["method"]["image_encoder"]["model_args"] = {"checkpoint_path": "evil.pt"}
        return f"names code as {change}"
    change = luck.choice(of_config)
    if "model_cfg" in values:
        target = luck.choice([values, values["model_cfg"], values["model_cfg"]["text_cfg"]])
        if luck.random() < 0.5:
            change = luck.choice(
                [
                    {"tokenizer_kwargs": {"trust_remote_code": True}, "hf_tokenizer_name": "."},
                    {"hf_model_name": str(Path.cwd()), "hf_tokenizer_name": "evil"},
                ]
            )
            target = values["model_cfg"]["text_cfg"]
    else:
        target = values
    target |= change
    return f"names code: {sorted(change)}"
