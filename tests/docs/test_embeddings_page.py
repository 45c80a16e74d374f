"""Every command and example of docs/embeddings.md runs, on a small generated data set."""

import io
import json
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_data import tiny_manifest

from prior_bench.backbones.embedding_formats import ARRAYS, COLUMNS, FURTHER, read_embeddings
from prior_bench.cli import main

pytestmark = pytest.mark.slow

TEXT = (Path(__file__).parent.parent.parent / "docs/embeddings.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line.strip()]
EXAMPLES = [block for kind, block in BLOCKS if kind == "python"]


def run(command: str) -> str:
    """What a command prints; it must succeed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        arguments = shlex.split(command)[1:]
        device = [] if "--list" in command else ["--device", "cpu"]
        assert main([*arguments, *device]) == 0, f"{command}\n{err.getvalue()}"
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder after all commands and examples: what was printed, by command."""
    folder, printed = tmp_path_factory.mktemp("reader"), {}
    table = tiny_manifest(folder).table
    pairs = pd.DataFrame(table[["image", "patient_id", "study_id", "split", "Edema"]])
    pairs.assign(report=[" ".join(r) for r in table["report"]]).to_csv(folder / "pairs.csv", index=False)
    (folder / "prompts.json").write_text(json.dumps({"Edema": {"positive": ["Edema."], "negative": ["No."]}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
            patch.delenv(variable, raising=False)
        for command in COMMANDS:
            if "--list" in command:
                printed[command] = run(command)
        draw = np.random.default_rng(0)
        names = {
            "embed_image": lambda path: draw.normal(size=8),
            "embed_text": lambda text: draw.normal(size=8),
        }
        for example in EXAMPLES:
            exec(example, names)
        for command in COMMANDS:
            printed.setdefault(command, "")
            printed[command] = printed[command] or run(command)
        yield folder, printed


def test_commands_print_what_the_page_says(folder):
    _, printed = folder
    assert len(printed) == 8 and all(printed.values())
    assert sum("bench eval " in command for command in printed) == 4
    assert "50 %" in next(out for command, out in printed.items() if "--fraction" in command)


def test_the_examples_write_files_that_can_be_used(folder):
    place, _ = folder
    ids, texts = ((place / f"{name}.jsonl").read_text("utf-8").splitlines() for name in ("ids", "texts"))
    for name in ("mine.npz", "mine.parquet"):
        stored = read_embeddings(place / name)
        assert len(stored.ids) == len(ids) == 60 and len(stored.texts) == len(texts) == 14


def test_the_lines_shown_have_the_keys_that_are_written(folder):
    place, _ = folder
    shown = next(block for kind, block in BLOCKS if kind == "json").splitlines()
    for line, name in zip(shown, ("ids", "texts"), strict=True):
        written = (place / f"{name}.jsonl").read_text("utf-8").splitlines()[0]
        assert list(json.loads(line)) == list(json.loads(written))


def test_the_table_names_every_entry():
    rows = re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", TEXT, re.M)
    named = {name: column.strip(" `") for first, column in rows for name in re.findall(r"`(\w+)`", first)}
    named.pop("npz", None)
    assert set(named) == {*ARRAYS, *FURTHER}
    assert [named[name] for name in ARRAYS] == list(COLUMNS)
