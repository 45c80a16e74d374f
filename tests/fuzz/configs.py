"""Odd configs and options: ``python configs.py FOLDER FIRST COUNT``; see :mod:`seeds`.

A seed changes a shipped suite, table, protocol or pre-training config (values of other kinds and sizes, keys
that are missing, unknown or misspelt, files that are damaged), or gives an option of the command line an odd
value. The command works or says one thing; it never shows a traceback.
"""

import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from commands import called
from hostile_text import hostile
from mmengine.config import Config
from seeds import Attempt, Tried, campaign
from writers import write_image

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = {
    "suites": ("demo", "few_shot_demo", "robustness_demo", "prior_ablation_demo", "mgca_linear", "study"),
    "tables": ("demo", "few_shot_demo", "mgca_linear", "robustness_demo", "study"),
    "protocols": ("demo/linear_probe", "demo/finetune", "demo/zero_shot", "demo/retrieval", "demo/detection"),
    "pretrain": ("convirt_sample", "prior_sample", "gloria_small", "mgca_vit_b16_mimic", "prior_r50_mimic"),
}
ODD = (
    *(None, True, False, 0, 1, -1, 2, 10**9, 10**30, -(2**63), 0.5, -0.5, 1e-320, float("inf"), float("nan")),
    *(
        "",
        " ",
        "1",
        "none",
        "x" * 3000,
        "a:b",
        "no.module:name",
        "../..",
        "/",
        "\0",
        "*",
        "%s",
        "demo",
        "random",
    ),
    *(
        [],
        [[]],
        [None],
        [1, 1],
        ["x"],
        (),
        (0, 0),
        {},
        {"type": "x"},
        {"type": None},
        {1: 2},
        {"": 0},
        b"x",
        1j,
    ),
    *({1}, frozenset(), range(3), ..., len, [[[[[]]]]], {"a": {"b": {"c": []}}}, list(range(200)), "\ud800"),
)
"""Values that no key expects, or only few."""
DAMAGE = (
    *("", "#", "x", "x =", "def", "import nowhere", "1 / 0", "raise ValueError('odd')", "name = undefined"),
    *(
        "_base_ = 'nowhere.py'",
        "_base_ = []",
        "_base_ = 3",
        "_base_ = 'odd.py'",
        "title = '",
        "\tx = 1",
        "\0",
    ),
)
"""Contents of a whole file."""


def sections(value: Any, found: list) -> list[tuple[Any, Any]]:
    """All places in nested dicts and lists, as pairs of container and key."""
    for key in value if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], (dict, list)) and value[key]:
            sections(value[key], found)
    return found


def changed(values: dict, luck: random.Random) -> None:
    """Change one to three places of a config."""
    for _ in range(luck.choice([1, 1, 1, 2, 3])):
        container, key = luck.choice(sections(values, []))
        kind = luck.choice(["odd", "odd", "odd", "odd", "hostile", "remove", "unknown", "double"])
        if kind == "odd":
            container[key] = luck.choice(ODD)
        elif kind == "hostile":
            container[key] = hostile(luck)
        elif kind == "remove":
            del container[key]
        elif isinstance(container, list):
            container.append(container[key])
        elif kind == "unknown":
            container[luck.choice([hostile(luck), "x", f"{key}s", str(key)[:-1] or "y"])] = container[key]
        else:
            container[key] = [container[key]] * 2
        if not values:
            return


def source(value: Any) -> str:
    """Python source of a value."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{source(key)}: {source(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inner = "".join(f"{source(one)}, " for one in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, float):
        return f"float({str(value)!r})"
    return "len" if value is len else repr(value)


def file_text(values: dict) -> str:
    """A config file with these keys; a key that is no name of Python's is given to globals()."""
    return "".join(
        f"{key} = {source(value)}\n"
        if str(key).isidentifier() and key not in ("None", "True", "False")
        else f"globals()[{source(key)}] = {source(value)}\n"
        for key, value in values.items()
    )


def plain(value: Any) -> Any:
    """mmengine's containers as Python's own."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def config_file(kind: str, luck: random.Random, place: Path) -> Path:
    """Write a changed copy of a shipped config."""
    path = place / "odd.py"
    if luck.random() < 0.1:
        path.write_text(luck.choice(DAMAGE))
        return path
    values = plain(Config.fromfile(CONFIGS / kind / f"{luck.choice(SHIPPED[kind])}.py").to_dict())
    if kind == "pretrain":
        values["data"]["dataset"] = {"type": "csv", "root": str(place / "nowhere.csv")}
    changed(values, luck)
    text = file_text(values).encode("utf-8", "surrogatepass")
    path.write_bytes(text[: luck.randrange(len(text) + 1)] if luck.random() < 0.05 else text)
    return path


def odd_config(luck: random.Random, place: Path) -> bool:
    """A changed config, in a command that reads it and computes nothing."""
    kind = luck.choice(list(SHIPPED))
    path = config_file(kind, luck, place)
    if kind == "suites":
        status, *_ = called("run", path, "--dry-run")
    elif kind == "tables":
        status, *_ = called("table", path, "--only-published" if luck.random() < 0.3 else "--no-test")
    elif kind == "pretrain":
        status, *_ = called("pretrain", path, "--work-dir", place / "out")
    else:
        suite = place / "of_protocol.py"
        row = dict(name="R", type="random", config="convirt_sample")
        evaluation = dict(task="classification", data="sample:chexpert", protocol=str(path))
        suite.write_text(file_text(dict(backbones=[row], evaluations=[evaluation])))
        status, *_ = called("run", suite, "--dry-run")
    return status != 0


VALUES = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e400",
        "nan",
        "x",
        "x=",
        "=x",
        "x=y",
        "a.b=1",
        "a..b=1",
        ".=1",
        "1,2",
        "9" * 30,
        "½",
    ),
    *(
        "schedule.epochs=-1",
        "schedule=3",
        "x" * 3000,
        "cuda:99",
        "cpu",
        "all",
        "../..",
        "/dev/null",
        "*",
        "[",
        "٣",
    ),
    *(
        "sample:",
        "sample:x",
        "x@y",
        "@",
        "csv:x",
        "os:abort",
        "my.csv",
        "my.csv@x",
        "{",
        "[1]",
        "None",
        "--",
        "-",
    ),
)
COMMANDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("run", "demo", "--dry-run"),
        ("--data", "--only", "--overwrite", "--device", "--jobs", "--workers", "--threads", "--rehearse"),
    ),
    (("table", "demo", "--no-test"), ("--format", "--suite", "--data", "--output", "--ranks")),
    (("table", "--leaderboard"), ("--format", "--suite", "--output")),
    (("data", "check", "my.csv", "--quick"), ("--set", "--split", "--root", "--tokenizer", "--report")),
    (("data", "describe"), ("csv", "--x")),
    (("data", "prepare", "my.csv"), ("--set", "--split", "--root")),
    (
        ("eval", "classification", "--backbone", "nowhere.pt", "--data", "my.csv"),
        (
            "--protocol",
            "--fraction",
            "--shots",
            "--seed",
            "--label",
            "--option",
            "--set",
            "--backbone",
            "--data",
        ),
    ),
    (
        ("pretrain", "convirt_sample", "--data", "nowhere.csv"),
        ("--option", "--seed", "--device", "--workers", "--work-dir", "--set"),
    ),
    (
        ("subgroups", "demo"),
        ("--by", "--groups", "--label", "--least", "--resamples", "--format", "--output"),
    ),
    (("checkpoint", "inspect", "my.csv"), ("--all", "--x")),
    (("compare", "demo"), ("", "demo", "demo/x")),
    (("show", "demo/x"), ("--resamples", "--json")),
    (("report", "demo"), ("--data", "--output")),
    (("schema",), ("--json", "--markdown")),
    (("list",), ("methods", "tasks", "x")),
    (("model",), ("list", "describe", "x")),
    (("results",), ("export", "import", "migrate", "x")),
    (("parity",), ("nowhere", "--markdown")),
    (("rehearsal", "demo"), ("--images-per-second", "--x")),
    (("export", "my.csv", "-o", "out"), ("--x", "-o")),
    (
        ("embed", "random:resnet18", "--data", "nowhere.csv", "-o", "out.npz"),
        ("--data", "--list", "--format"),
    ),
    (("explain", "nowhere.pt", "--data", "my.csv"), ("--output", "--data", "--x")),
    (("new", "baseline"), ("x y", "", "os")),
    (("check-method",), ("nowhere", "os:abort", "prior")),
)
"""Commands that compute nothing much, and options to give odd values to."""


def odd_options(luck: random.Random, place: Path) -> bool:
    """One or two options of a command with odd values."""
    command, options = luck.choice(COMMANDS)
    given = [
        part
        for name in luck.sample(options, min(len(options), luck.choice([1, 1, 2])))
        for part in (name, luck.choice(VALUES) if luck.random() < 0.8 else hostile(luck).replace("\0", ""))
    ]
    status, *_ = called(*command, *given)
    return status != 0


def prepare(folder: Path) -> Attempt:
    """Write the table that commands name."""
    for n in range(6):
        write_image(folder / f"table/img/{n}.png")
    rows = "".join(f"img/{n}.png,p{n},{'train test valid'.split()[n % 3]},{n % 2}\n" for n in range(6))
    (folder / "table/my.csv").write_text(f"image,patient_id,split,Edema\n{rows}")

    called("run", "demo", "--dry-run")  # loads the libraries

    def attempt(seed: int) -> Tried:
        place, working = folder / f"seed{seed}", os.getcwd()
        shutil.copytree(folder / "table", place)
        os.chdir(place)
        roots = {f"PRIOR_BENCH_{root}": str(place / root.lower()) for root in ("DATA", "RESULTS", "CACHE")}
        try:
            with patch.dict(os.environ, {**roots, "PRIOR_BENCH_SAMPLE_SIZE": "tiny"}):
                return Tried((odd_config if seed % 3 else odd_options)(random.Random(seed), place))
        finally:
            os.chdir(working)
            shutil.rmtree(place)

    return attempt


if __name__ == "__main__":
    campaign("configs and options", prepare)
