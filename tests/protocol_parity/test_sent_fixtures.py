"""Fixtures of somebody else name protocols and suites that are shipped; no file that they name runs."""

import json
from pathlib import Path

import pytest

from prior_bench import paths
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.parity.compare import FixtureOutcome
from prior_bench.parity.show import lines
from prior_bench.protocol_parity.ingredients import suite_of
from prior_bench.protocol_parity.official import official_runs

CODE = "from pathlib import Path\n\nPath('it_ran').touch()\nprotocol = {}\n"


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """A folder of fixtures with a Python file, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent/mgca").mkdir(parents=True)
    (tmp_path / "sent/mgca/code.py").write_text(CODE)
    return tmp_path / "sent"


def names_of_code(kind):
    """Return ways to name the file ``sent/mgca/code.py`` where a name of a config is expected."""
    code = Path("sent/mgca/code.py")
    up = "../" * (len((paths.shipped("configs") / kind).resolve().parts) - 1)
    beside = up + str(code.resolve().with_suffix("")).lstrip("/")
    return [str(code), str(code.resolve()), beside, f"{beside}.py", "sent.mgca.code:protocol", ["x"], 3]


@pytest.mark.parametrize("way", range(7))
def test_no_protocol_that_a_fixture_names_runs(sent, capsys, way):
    content = {"repository": "a/b", "commit": "0" * 40, "ingredients": {}}
    content["protocols"] = [names_of_code("protocols")[way]]
    (sent / "mgca/a.json").write_text(json.dumps(content))
    assert main(["parity", "sent"]) == 1
    assert "a.json: unknown protocol" in capsys.readouterr().err
    assert not Path("it_ran").exists()


@pytest.mark.parametrize("way", range(7))
def test_no_suite_that_a_fixture_names_runs(sent, way):
    with pytest.raises(BenchError, match="given.suite: unknown suite"):
        suite_of({"suite": names_of_code("suites")[way]})
    assert not Path("it_ran").exists()


@pytest.mark.parametrize("name", ["gloria/zero_shot", "gloria/data_rsna"])
def test_nor_one_of_a_fixture_as_published(sent, capsys, name):
    golden = Path(__file__).parent.parent / f"golden/protocols/{name}.json"
    content = json.loads(golden.read_text())
    for values in content["ingredients"].values():
        if "suite" in values["given"]:
            values["given"]["suite"] = "sent/mgca/code.py"
    (sent / "mgca/a.json").write_text(json.dumps(content))
    [run] = official_runs(sent)
    assert main(["parity", "sent", "--only", run.protocols[0]]) == 1
    assert "unknown suite 'sent/mgca/code.py'" in capsys.readouterr().out
    assert not Path("it_ran").exists()


def test_names_in_a_fixture_make_no_lines_of_their_own(sent, capsys):
    golden = Path(__file__).parent.parent / "golden/protocols/gloria/zero_shot.json"
    content = json.loads(golden.read_text())
    content["ingredients"] = {"score": content["ingredients"]["score"]}
    content["ingredients"]["score"]["expected"]["x\nPASS  all: fine"] = 1
    (sent / "mgca/a.json").write_text(json.dumps(content))
    assert main(["parity", "sent", "--only", "gloria/zero_shot"]) == 1
    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("PASS  all")]


def test_nor_do_those_of_a_fixture_with_tensors():
    outcome = FixtureOutcome("prior/a\nb", "it\nbroke")
    assert len(lines(outcome)) == 1 and "\n" not in lines(outcome)[0]
    outcome = FixtureOutcome("prior/a\nb", errors={"out.x\nPASS": {}})
    assert not any("\n" in line for line in lines(outcome))
