"""Every command of the README and of docs/start.md runs, on tiny sample data and a dozen real radiographs."""

import io
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import released_files
import torch

from prior_bench.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [(ROOT / page).read_text() for page in ("README.md", "docs/start.md")]
BLOCKS = [block for page in PAGES for block in re.findall(r"```bash\n(.*?)```", page, re.S)]
INLINE = [command for page in PAGES for command in re.findall(r"`(prior-bench [^`]*)`", page)]
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
COMMANDS = list(dict.fromkeys([line for line in LINES if line.startswith("prior-bench ")] + INLINE))
PARTS = {
    "demo": ["task=retrieval"],
    "mgca_tables": ["protocol=mgca/linear_covidx", "fraction=0.1"],
    "pneumoniamnist": ["protocol=laptop/linear_probe"],
}
"""A suite is run in part, for its first row and seed: as written it takes minutes."""
OWN_METHOD = "my_method"
"""The method that the README's reader writes."""
NEEDS = {
    "prior-bench table demo": "prior-bench run demo",
    "prior-bench report demo": "prior-bench run demo",
    "prior-bench check-method my_method": "prior-bench new baseline my_method",
    "prior-bench pretrain my_method_sample.py": "prior-bench new baseline my_method",
}
"""What a reader has run before, by the beginning of a command: tests run in any order, or alone."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "tests/data/hannover_cxr/images", folder / "images")
    table = pd.read_csv(ROOT / "tests/data/hannover_cxr/metadata.csv")
    table[["image", "patient_id", "projection"]].to_csv(folder / "my_images.csv", index=False)
    image_encoder = released_files.real(
        "prior_image_encoder_only"
    )  # random, with the released names and shapes
    torch.save(image_encoder, folder / "prior_resnet50.pt")
    rng, arrays = np.random.default_rng(0), {}
    for part in ("train", "val", "test"):
        arrays[f"{part}_images"] = rng.integers(0, 255, (12, 28, 28), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(12, dtype=np.uint8)[:, None] % 2
    np.savez_compressed(folder / "pneumoniamnist.npz", **arrays)
    return folder


def test_readme_has_commands_for_all_three_jobs():
    verbs = {command.split()[1] for command in COMMANDS}
    assert {"data", "eval", "run", "table", "report", "list", "pretrain"} <= verbs


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def run_once(folder):
    """Runs a command after those that it needs; each command once."""
    done: dict[str, Done] = {}

    def run(command: str) -> Done:
        for beginning, needed in NEEDS.items():
            if command.startswith(beginning):
                run(needed)
        if command not in done:
            done[command] = _run(command, folder)
        return done[command]

    return run


def _run(command: str, folder: Path) -> Done:
    arguments = shlex.split(command)[1:]
    if arguments[0] == "run":
        for part in ["seed=0", "backbone=Random", *PARTS[arguments[1]]]:
            arguments += ["--only", part]
    place = ROOT if "tests/golden" in command else folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
        patch.setenv("OMP_NUM_THREADS", "1")
        for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
            patch.delenv(variable, raising=False)
        if (
            OWN_METHOD in command
        ):  # the file that the command before has written is found in the working folder
            program = [sys.executable, "-m", "prior_bench", *arguments]
            done = subprocess.run(program, cwd=place, capture_output=True, text=True, timeout=300)
            return Done(done.returncode, done.stdout, done.stderr)
        # in this process: to start one and import torch takes longer than most commands
        patch.chdir(place)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(arguments)
        return Done(status, out.getvalue(), err.getvalue())


SLOW = ("prior-bench pretrain", "prior-bench check-method", "prior-bench eval zero_shot")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=pytest.mark.slow) if str(command).startswith(SLOW) else command
        for command in COMMANDS
    ],
)
def test_command_of_readme(command, run_once):
    done = run_once(command)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("line", sorted({line for line in LINES if line.startswith("make ")}))
def test_make_target_of_readme_exists(line):
    target = shlex.split(line)[1]
    plan = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    runs = {
        "demo": "prior-bench run demo",
        "study": "prior-bench run study",
        "test": "-m pytest",
        "docs": "mkdocs build",
    }
    assert runs[target] in plan
