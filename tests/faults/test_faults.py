"""Kills, full disks, folders that may not be written to and odd surroundings, as a user meets them.

The scripts beside this file say what each does and checks; `make campaign` runs hundreds of rounds of each.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FEW = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import disk, kills
folder, names = Path(sys.argv[2]), ["data prepare", "results import"]
print(json.dumps([module.main(folder / module.__name__, 0, 4, names) for module in (kills, disk)]))
"""
"""Two scripts in one process, as importing torch takes longer than the rest."""


def run(*arguments: str, seconds: int = 600) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment)


@pytest.mark.slow
def test_a_few_kills_and_full_disks(tmp_path):
    done = run("-c", FEW, str(HERE), str(tmp_path), seconds=300)
    assert done.returncode == 0, done.stderr[-2000:]
    for found in json.loads(done.stdout.splitlines()[-1]):
        assert found["wrong"] == found["lost"] == []
        assert found["tried"] == found["refused"] + found["survived"] == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "count"), [("kills", 16), ("disk", 12), ("permissions", 15), ("surroundings", 16)]
)
def test_a_campaign(tmp_path, script, count):
    done = run(str(HERE / f"{script}.py"), str(tmp_path), "1000", str(count), seconds=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == found["lost"] == []
    assert found["tried"] == found["refused"] + found["survived"] == count


@pytest.mark.slow
def test_another_locale_and_names_of_other_alphabets(tmp_path):
    """Turkish lower case, an ASCII locale without UTF-8 mode, and a folder of neither."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "helpers")]
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
