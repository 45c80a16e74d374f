"""Ways to damage the files of a sent store: its records and plan, its predictions, itself, its archive."""

import contextlib
import json
import os
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def odd_values(folder: Path) -> list[Any]:
    """What somebody may put in place of a value."""
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    return [
        *(
            None,
            True,
            False,
            0,
            -1,
            3,
            10**30,
            1e308,
            -1e308,
            0.5,
            "",
            " ",
            "x" * 5000,
            "\ud800",
            "a\0b",
            "é\u202e",
        ),
        *(
            {},
            [],
            [1, "a", None],
            {"a": {"b": []}},
            deep,
            [[]] * 300,
            "nan",
            "done",
            "maybe",
            "classification",
        ),
        *("evil:read", "evil.Hook", "torch.hub:load", "os:abort", "../../evil", "evil.py", "../evil.py"),
        *(
            str(folder / "secret"),
            str(folder / "secret/all/all.csv"),
            str(folder / "secret/evil.py"),
            "/dev/zero",
        ),
        *(str(folder / "secret/model.safetensors"), "https://example.org/x", "hf-hub:a/b", "sample:../../x"),
        *(
            "rehearsal:mimic_cxr",
            "sample:chexpert",
            "file:///etc/passwd",
            "{{ 7*7 }}",
            "<script>",
            "\\write18{x}",
        ),
        *(["evil:read"], {"type": "evil:read"}, {"type": "evil:read", "root": "/"}),
    ]


TEXTS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1" * 5000,
    "null",
    '"',
    "[",
    "}",
    "\\ud800",
    "01",
    "1" * 400,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Paths of all parts of a JSON value."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        found += places(part, (*path, key))
    return found


def change_json(file: Path, luck: random.Random, odd: list[Any]) -> str:
    """Damage a JSON file; returns what was done."""
    text = file.read_text()
    kind = luck.choice(["value"] * 8 + ["delete", "add", "text", "bytes", "cut", "swap"])
    if kind in ("value", "delete", "add", "swap"):
        whole = json.loads(text)
        done = []
        for _ in range(luck.choice([1, 1, 1, 2, 4])):
            found = places(whole)
            if not found:
                break
            path = luck.choice(found)
            part = whole
            for key in path[:-1]:
                part = part[key]
            if kind == "value":
                part[path[-1]] = luck.choice(odd)
            elif kind == "delete":
                del part[path[-1]]
            elif kind == "add" and isinstance(part, dict):
                part[luck.choice(["root", "history", "config", "prompts", "shots", "x", "overrides"])] = (
                    luck.choice(odd)
                )
            elif kind == "swap":
                other = luck.choice(found)
                source = whole
                with contextlib.suppress(KeyError, IndexError, TypeError):
                    for key in other:
                        source = source[key]
                    part[path[-1]] = json.loads(json.dumps(source))
            done.append(".".join(map(str, path)))
        file.write_text(json.dumps(whole, allow_nan=True))
        return f"{kind} of {', '.join(done)}"
    if kind == "text":
        at = luck.randrange(len(text))
        file.write_text(text[:at] + luck.choice(TEXTS) + text[at + luck.choice([0, 1, 5]) :])
        return kind
    damage_bytes(file, luck, kind == "cut")
    return kind


def damage_bytes(file: Path, luck: random.Random, cut: bool = False) -> None:
    data = bytearray(file.read_bytes())
    if cut:
        del data[luck.randrange(len(data)) :]
    for _ in range(0 if cut else luck.choice([1, 1, 4, 30])):
        data[luck.randrange(len(data))] = luck.randrange(256)
    file.write_bytes(data)


def change_arrays(file: Path, luck: random.Random) -> str:
    """Damage predictions."""
    kind = luck.choice(
        ["array"] * 8 + ["drop", "add", "bytes", "cut", "bomb", "header", "pickle", "link", "empty"]
    )
    if kind in ("bytes", "cut"):
        damage_bytes(file, luck, kind == "cut")
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "link":
        file.unlink()
        file.symlink_to("/dev/zero")
    elif kind == "bomb":
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("id.npy", "w") as member,
        ):
            np.lib.format.write_array_header_1_0(
                member, {"descr": "|u1", "fortran_order": False, "shape": (2**30,)}
            )
            for _ in range(1024):
                member.write(bytes(2**20))
    elif kind == "header":
        with zipfile.ZipFile(file, "w") as archive, archive.open("id.npy", "w") as member:
            shape = luck.choice([(10**12,), (2**40, 2**40), (-1,), (3, -4), (0, 10**15), (10**10, 0)])
            descr = luck.choice(["<f8", "<U0", "|V8", "|O", "<U1000000"])
            head = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, head)
    else:
        with np.load(file) as stored:
            arrays = {name: stored[name] for name in stored.files}
        name = luck.choice(sorted(arrays))
        if kind == "drop":
            del arrays[name]
        elif kind == "pickle":
            arrays[name] = np.array([Bad()], dtype=object)
        elif kind == "add":
            arrays[
                luck.choice(["meta_thresholds", "example_embedding", "flat_box", "x", "meta_partner_term"])
            ] = odd_array(luck, arrays[name])
        else:
            arrays[name] = odd_array(luck, arrays[name])
        np.savez_compressed(file, **arrays)
        return f"{kind} of {name}"
    return kind


class Bad:
    """What a pickle could do."""

    def __reduce__(self) -> tuple:
        return exec, ("import evil",)


def odd_array(luck: random.Random, array: np.ndarray) -> np.ndarray:
    """Another array in place of one."""
    choice = luck.randrange(13)
    if choice == 0:
        return array[: len(array) // 2] if array.ndim else np.array([1, 2])
    if choice == 1:
        return array.astype(str)
    if choice == 2:
        return np.zeros((0, *array.shape[1:]), array.dtype)
    if choice == 3:
        return np.full(array.shape, np.nan)
    if choice == 4:
        return np.full(array.shape, luck.choice([np.inf, -np.inf, 1e308, -1e300, 10**9, -5]))
    if choice == 5:
        return array[..., None] if luck.random() < 0.5 else array.ravel()
    if choice == 6:
        return np.array(luck.choice([0, "x", 1.5, 10**9]))
    if choice == 7:
        return np.full(array.shape, luck.choice([-1, 2**31, 7]))
    if choice == 8:
        return np.repeat(array, 2, axis=0) if array.ndim else array.astype(complex)
    if choice == 9:
        return array.astype(bool) if array.dtype.kind in "iuf" else np.full(array.shape, "")
    if choice == 10:
        return np.full(array.shape, luck.choice(["évil\0", "x" * 3000, "nan"]))
    if choice == 11:
        mixed = array.copy()
        np.random.default_rng(luck.randrange(1000)).shuffle(mixed) if array.ndim else None
        return mixed
    return (
        array.T
        if array.ndim > 1
        else array.astype("datetime64[s]")
        if array.dtype.kind in "iu"
        else np.flip(array)
    )


def change_files(root: Path, folder: Path, luck: random.Random) -> str:
    """Put links and special files into a store's folder."""
    runs = sorted(path for path in (root / "runs").iterdir())
    run, kind = luck.choice(runs), luck.randrange(8)
    if kind == 0:
        (run / "traceback.txt").symlink_to(folder / "secret/traceback.txt")
    elif kind == 1:
        (run / "record.json").unlink()
        (run / "record.json").symlink_to(luck.choice(["/dev/zero", str(folder / "secret/history.json")]))
    elif kind == 2:
        shutil.rmtree(run)
        run.symlink_to(folder / "secret")
    elif kind == 3:
        (run / "record.json").unlink()
        os.mkfifo(run / "record.json")
    elif kind == 4:
        run.rename(run.with_name(luck.choice(["a-0x", "..x", "x y", "0" * 200, "é"])))
    elif kind == 5:
        (root / "plan.json").unlink()
        (root / "plan.json").symlink_to(folder / "secret/history.json")
    elif kind == 6:
        (root / "plan.json").unlink()
        (root / "plan.json").mkdir()
    else:
        (run / "record.json").write_text(
            (luck.choice(runs) / "record.json").read_text().replace('"done"', '"failed"')
        )
    return f"files {kind}"


def archive_of(root: Path, place: Path, folder: Path, luck: random.Random) -> str:
    """Write an exported file as somebody may send it."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file() and not file.is_symlink():
                archive.write(file, file.relative_to(root).as_posix())
        kind = luck.randrange(9)
        if kind == 0:
            for name in ("../out.txt", "/out.txt", "runs/../../out.txt", "runs/..\\..\\out.txt/record.json"):
                archive.writestr(name, "x")
        elif kind == 1:
            link = zipfile.ZipInfo("runs/a-0/traceback.txt")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, str(folder / "secret/traceback.txt"))
        elif kind == 2:
            with archive.open(luck.choice(["runs/x/record.json", "runs/a-0/traceback.txt"]), "w") as member:
                for _ in range(1024):
                    member.write(bytes(2**20))
        elif kind == 3:
            archive.writestr("runs/a-0/record.json", "{}")
        elif kind == 4:
            for n in range(3000):
                archive.writestr(f"runs/k{n}/record.json", " " * 60000)
    if kind == 5:
        damage_bytes(place, luck)
    elif kind == 6:
        damage_bytes(place, luck, cut=True)
    return f"archive {kind}"
