"""Kills, full disks, folders that may not be written to and odd surroundings, as a user meets them.

The scripts beside this file say what each does and checks; `make campaign` runs hundreds of rounds of each.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_scripts import outcome_of

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "count"),
    [("kills", 16), ("kills_of_ranks", 4), ("disk", 12), ("permissions", 15), ("surroundings", 16)],
)
def test_a_campaign(tmp_path, script, count):
    outcome_of(f"faults/{script}.py", tmp_path, 1000, count, seconds=60)


@pytest.mark.slow
def test_another_locale_and_names_of_other_alphabets(tmp_path):
    """Turkish lower case, an ASCII locale without UTF-8 mode, and a folder of neither."""
    sys.path.insert(0, str(HERE))
    from world import World, roots

    folder = tmp_path / "Iğdır İstanbul"
    world = World(folder / "world")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for environment in (locale, {"LC_ALL": "tr_TR.UTF-8"}):
        for command in (["data", "check", str(world.table)], ["data", "prepare", str(world.table)]):
            done = subprocess.run(
                [sys.executable, "-m", "prior_bench", *command],
                env={**os.environ, **roots(folder), **environment},
                capture_output=True,
                timeout=300,
            )
            told = (done.stdout + done.stderr).decode("ascii", "replace")
            assert b"fault" not in done.stderr and (done.returncode == 0 or "verdict: " in told), told


@pytest.mark.slow
def test_the_process_itself_ends_quietly_when_its_output_is_full_or_closed():
    for redirection, code in ((">/dev/full", 1), (">&-", 0), ("| head -c 10", 0)):
        command = f"{sys.executable} -m prior_bench list protocols {redirection}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300)
        assert done.returncode == code and "Traceback" not in done.stderr and "ignored" not in done.stderr
        assert done.stderr.count("error: ") == code
