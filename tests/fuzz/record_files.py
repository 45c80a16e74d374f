"""Damage records, plans, predictions and archives, and run every verb that reads them.

``python record_files.py FOLDER FIRST COUNT``; prints one JSON line, as all scripts of the campaign do. Each
seed makes a colleague's store from a clean one, changes one or a few of its files, and runs verbs in this
process. An audit hook notes what is opened, run, imported or connected to.
"""

import contextlib
import io
import json
import os
import random
import shutil
import sys
import time
import traceback
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "helpers")]

SUITE = """
name = "theirs"
title = "Theirs"
backbones = [dict(name="A", type="random", config="convirt_sample")]
evaluations = [dict(task="classification", data="all", protocol="demo/linear_probe")]
"""
CANARY = (
    "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nread = Read = load = Hook = print\n"
)
HISTORIC = HERE.parent / "historic/stores/schema1_2026_11_29"
LONGEST = 10.0
"""Seconds of CPU time that a command may take."""
FEWER = 5
"""Records of other tasks that a seed leaves out."""


# --- the clean store


def make_clean(folder: Path) -> Path:
    """A small store with data of its own, and records of all tasks; beside it secrets and canaries."""
    from PIL import Image
    from scored_store import save

    from prior_bench.store.store import Store

    (folder / "data/all").mkdir(parents=True)
    lines = ["id,image,patient_id,split,sex,Edema,Effusion"]
    for n in range(40):
        pixels = np.random.default_rng(n).integers(0, 255, (16, 16), np.uint8)
        Image.fromarray(pixels).save(folder / f"data/all/i{n:03}.png")
        lines.append(f"i{n:03},i{n:03}.png,p{n // 2:03},test,{'FM'[n % 2]},{n % 2},{n // 2 % 2}")
    (folder / "data/all/all.csv").write_text("\n".join(lines))
    (folder / "secret").mkdir()
    shutil.copytree(folder / "data/all", folder / "secret/all")
    (folder / "secret/history.json").write_text('[{"epoch": 1, "loss": 1}, {"epoch": 2, "loss": 0.5}]')
    (folder / "secret/traceback.txt").write_text("secret")
    for name in ("evil.py", "hubconf.py", "secret/evil.py"):
        (folder / name).write_text(CANARY)
    (folder / "theirs.py").write_text(SUITE)
    store = Store(folder / "clean")
    data = {"name": "all", "type": "csv", "root": str(folder / "data/all/all.csv")}
    cells = []
    for name, skill in (("A", 1.0), ("B", 2.0)):
        for seed in (0, 1):
            run = save(store, name, skill, seed, patients=20, data=data)
            cells.append({"spec": run.spec, "key": run.key, "reason": ""})
    historic, seen = Store(HISTORIC), set()
    for key, record in historic.records().items():
        if record.spec["task"] not in seen:
            seen.add(record.spec["task"])
            shutil.copytree(historic.runs / key, store.runs / key)
            cells.append({"spec": record.spec, "key": key, "reason": ""})
    store.save_plan(cells)
    return store.root


# --- mutations


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


# --- what happens


class Watch:
    """Notes what this process opens, runs or connects to while it is on."""

    def __init__(self, folder: Path):
        self.folder, self.on, self.seen = folder, False, []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open" and str(arguments[0]).startswith((str(self.folder / "secret"), "/dev/zero")):
            self.seen.append(f"opened {arguments[0]}")
        elif event == "import" and str(arguments[0]).partition(".")[0] in ("evil", "hubconf"):
            self.seen.append(f"imported {arguments[0]}")
        elif event in ("socket.connect", "socket.getaddrinfo", "os.system", "os.exec", "os.posix_spawn"):
            self.seen.append(f"{event} {arguments[1:]}")
        elif event == "subprocess.Popen" and not str(arguments[0]).endswith(("git", "lscpu")):
            self.seen.append(f"started {arguments[:2]}")


def verbs(luck: random.Random, keys: list[str]) -> list[list[str]]:
    """Commands that read the store ``theirs``; each seed takes some."""
    key = luck.choice(keys)
    every = [
        ["show", f"theirs/{key}", "--resamples", "3"],
        ["show", f"theirs/{key}", "--json"],
        ["compare", "theirs", "clean"],
        ["compare", "theirs/a-0", "theirs/b-0"],
        ["compare", f"theirs/{key}", f"clean/{key}"],
        [
            "table",
            "--leaderboard",
            "--suite",
            "theirs",
            "--format",
            luck.choice(["markdown", "latex", "csv", "json"]),
        ],
        ["table", "--leaderboard", "--suite", "theirs", "--no-test", "--ranks", "results/ranks.svg"],
        ["subgroups", "theirs", "--resamples", "3", "--least", "2"],
        ["results", "export", "theirs", "--output", "results/again.zip"],
        ["results", "migrate", "theirs"],
        ["results", "import", "results/theirs", "--suite", "merged"],
        ["results", "import", "sent.zip", "--suite", "merged"],
    ]
    every += [["report", "theirs.py"]] * 3
    return luck.sample(every, 5)


def spoken(command: list[str]) -> tuple[int, str]:
    """Run a command; its status and what it said on stderr."""
    from prior_bench.cli import main

    said = io.StringIO()
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")),
        contextlib.redirect_stderr(said),
    ):
        try:
            status = main(command)
        except SystemExit as stopped:
            status = int(stopped.code or 0)
    return status, said.getvalue()


def run_reads(folder: Path) -> None:
    """What ``run`` does with the records and the plan of its store before it runs anything."""
    from prior_bench.engine.clock import Clock
    from prior_bench.engine.execute import merged_plan
    from prior_bench.store.changed_source import changed_records
    from prior_bench.store.store import Store

    store = Store(folder / "results/theirs")
    with contextlib.redirect_stderr(io.StringIO()):
        merged_plan(SimpleNamespace(runs=[], partial=True), store)  # type: ignore[arg-type]
        Clock(store)
        changed_records(store.records().values())


def state_of(root: Path) -> dict[str, bytes]:
    """Content of all files of a folder."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def outside(folder: Path) -> set[str]:
    """Files that nobody should write: all but results and cache."""
    found = set()
    for place, folders, files in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in ("results", "cache", "__pycache__")]
        found |= {str(Path(place) / name) for name in files}
    return found


def one(
    number: int, folder: Path, clean: Path, watch: Watch, odd: list[Any]
) -> tuple[str, list[str], list[str]]:
    """Try a seed; its outcome (refused or survived), what went wrong, and what was lost."""
    from prior_bench.report.runs.draws import load_predictions

    luck = random.Random(number)
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    keys = sorted(path.name for path in (clean / "runs").iterdir())
    absent = luck.sample([key for key in keys if key[1:2] != "-"], FEWER)  # a report on all takes a while
    for name in ("theirs", "clean", "merged"):
        shutil.copytree(clean, results / name, ignore=shutil.ignore_patterns(*absent))
    theirs = results / "theirs"
    keys = sorted(path.name for path in (theirs / "runs").iterdir())
    kind = luck.choice(
        ["record"] * 4 + ["plan", "plan", "predictions", "predictions", "predictions", "files"]
    )
    if kind == "record":
        what = [change_json(theirs / "runs" / luck.choice(keys) / "record.json", luck, odd)]
    elif kind == "plan":
        what = [change_json(theirs / "plan.json", luck, odd)]
    elif kind == "predictions":
        with_arrays = [key for key in keys if (theirs / "runs" / key / "predictions.npz").is_file()]
        what = [change_arrays(theirs / "runs" / luck.choice(with_arrays) / "predictions.npz", luck)]
    else:
        what = [change_files(theirs, folder, luck)]
    what.append(archive_of(theirs, folder / "sent.zip", folder, luck))
    shutil.rmtree(results / "merged/runs" / luck.choice(keys))
    kept, before = state_of(results / "merged/runs"), outside(folder)
    load_predictions.cache_clear()
    wrong, told, watch.seen = [], "", []
    for command in [["run"], *verbs(luck, keys)]:
        start, said, status = time.process_time(), "", 0  # the machine may be busy with other things
        watch.on = True
        try:
            if command == ["run"]:
                run_reads(folder)
            else:
                status, said = spoken(command)
        except BaseException:
            wrong.append(f"{command}: {traceback.format_exc()[-1500:]}")
        watch.on = False
        if "internal fault" in said or "Traceback" in said or status not in (0, 1, 2):
            trace = said.split("traceback: ")[-1].splitlines()[0] if "traceback: " in said else ""
            detail = Path(trace).read_text()[-1500:] if trace and Path(trace).is_file() else said[-1500:]
            wrong.append(f"{command}: {detail}")
        if (took := time.process_time() - start) > LONGEST:
            wrong.append(f"{command}: took {took:.0f} s")
        told += said if "warning" in said or status else ""
    wrong += watch.seen
    if any((folder / place / "ran").exists() for place in (".", "secret")) or "evil" in sys.modules:
        wrong.append("code was run")
    if added := outside(folder) - before:
        wrong.append(f"written: {sorted(added)}")
    after = state_of(results / "merged/runs")
    lost = [name for name, content in kept.items() if after.get(name) != content]
    note = f"seed {number}, {' and '.join(what)}: "
    return "refused" if told else "survived", [note + text for text in wrong], [note + name for name in lost]


def main(folder: Path, first: int, count: int) -> dict[str, Any]:
    """Try ``count`` seeds."""
    folder = folder.resolve()
    for name in ("DATA", "RESULTS", "CACHE"):
        os.environ[f"PRIOR_BENCH_{name}"] = str(folder / name.lower())
    os.environ["PRIOR_BENCH_PROGRESS"] = ""
    os.chdir(folder)
    sys.path.append(str(folder))
    clean, odd = make_clean(folder), odd_values(folder)
    found: dict[str, Any] = {
        "kind": "records, plans and archives",
        **{"tried": 0, "refused": 0, "survived": 0, "wrong": [], "lost": [], "slowest": 0.0},
    }
    watch = Watch(folder)
    one(0, folder, clean, watch, odd)  # libraries are loaded before anything is measured
    start = most_memory()
    for number in range(first, first + count):
        begun = time.process_time()
        outcome, wrong, lost = one(number, folder, clean, watch, odd)
        found["slowest"] = max(found["slowest"], time.process_time() - begun)
        found["tried"] += 1
        found[outcome] += not wrong
        found["wrong"] += wrong
        for text in wrong:
            print(text, file=sys.stderr, flush=True)
        found["lost"] += lost
    found["memory"] = most_memory() - start
    return found


def most_memory() -> int:
    """Return the most memory of this process, in bytes."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
