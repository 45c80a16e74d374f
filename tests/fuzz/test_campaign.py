"""The frame of the campaign: parts are added up, resumed, limited in time, and written as a table."""

import json

import campaign
import pytest
from campaign import (
    CAMPAIGN,
    END,
    PAGE,
    START,
    TESTS,
    Attack,
    merged,
    parts_of,
    run,
    table,
    write_page,
)

SCRIPT = """
import json, sys
from pathlib import Path
folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
assert not list(folder.iterdir())
{body}
wrong = ["seed 3: a | traceback"] if first <= 3 < first + count else []
print("noise")
print(json.dumps(dict(kind="things", tried=count, refused=1, survived=count - 1 - len(wrong), wrong=wrong,
                      unknowable=0, lost=[], slowest=first / 2, memory=first * 10**9)))
"""


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "TESTS", tmp_path)
    (tmp_path / "fuzz").mkdir()

    def write(body="", name="things"):
        (tmp_path / f"fuzz/{name}.py").write_text(SCRIPT.format(body=body))
        return Attack(f"fuzz/{name}.py", 5, 2)

    return write


def test_parts_cover_the_seeds():
    assert parts_of(Attack("x", 5, 2)) == [(0, 2), (2, 2), (4, 1)]


def test_a_campaign_is_added_up_and_resumed(scripts, tmp_path):
    attack, said = scripts(), []
    outcomes = run([attack], tmp_path / "kept", said.append)
    found = outcomes[attack.name]
    assert (found["tried"], found["refused"], found["survived"]) == (5, 3, 1)
    assert found["wrong"] == ["seed 3: a | traceback"] and (found["slowest"], found["memory"]) == (2, 4e9)
    assert len(said) == 3 and said[-1].startswith("5/5 ") and "0 min left" in said[-1]
    scripts("raise SystemExit(9)")
    assert run([attack], tmp_path / "kept", said.append) == outcomes and len(said) == 3
    shown = table([attack], outcomes)
    assert "| things (`fuzz/things.py`) | 0 to 4 | 5 | 3 | 1 | 0 | 1 | 0 | 2.0 | 4.00 |" in shown
    assert "- `fuzz/things.py`: `seed 3: a | traceback`" in shown


@pytest.mark.parametrize(
    "body", ["raise SystemExit(3)", "print('no json'); sys.exit()", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_script_that_ends_otherwise_is_wrong(scripts, tmp_path, body):
    (found,) = run([scripts(body)], tmp_path / "kept", print).values()
    assert found["tried"] == 5 and len(found["wrong"]) == 3 and found["survived"] == 0


def test_a_script_that_hangs_is_stopped(scripts, tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "START_SECONDS", 1)
    monkeypatch.setattr(campaign, "SECONDS", 0)
    (found,) = run([scripts("import time; time.sleep(60)")], tmp_path / "kept", print).values()
    assert "stopped after 1 s" in found["wrong"][0]


def test_a_script_that_is_not_there_is_said(tmp_path):
    attack = Attack("fuzz/nowhere.py", 3)
    assert "`fuzz/nowhere.py` is not there" in table([attack], run([attack], tmp_path, print))


def test_the_part_of_a_script_is_passed_on(scripts, tmp_path):
    scripts("assert sys.argv[4:] == ['run --jobs 2']")
    attack = Attack("fuzz/things.py", 2, 2, "run --jobs 2")
    outcomes = run([attack], tmp_path / "kept", print)
    assert outcomes["fuzz/things.py run --jobs 2"]["wrong"] == []


def test_the_table_replaces_what_stands_between_the_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    write_page("new", page)
    assert page.read_text() == f"before\n{START}\n\nnew\n\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(SystemExit):
        write_page("new", page)


def test_the_page_has_a_table_of_all_attacks():
    inside = PAGE.read_text("utf-8").partition(START)[2].partition(END)[0].strip()
    assert all(f"`{attack.name}`" in inside for attack in CAMPAIGN)


def test_the_counts_are_those_that_are_asked():
    counts = {attack.name: attack.count for attack in CAMPAIGN}
    assert counts["fuzz/checkpoint_files.py"] >= 1000 and counts["fuzz/mutated_images.py"] >= 1000
    assert counts["fuzz/annotation_files.py"] >= 500 and counts["fuzz/record_files.py"] >= 300
    kills = [attack for attack in CAMPAIGN if attack.script == "faults/kills.py"]
    assert len(kills) == 8 and all(attack.count >= 100 for attack in kills)


def test_an_outcome_has_what_the_interface_says():
    part = dict(
        kind="k", tried=1, refused=0, survived=1, unknowable=0, wrong=[], lost=["x"], slowest=0.5, memory=1
    )
    assert merged([part, part]) == {**part, "tried": 2, "survived": 2, "lost": ["x", "x"]}
    assert json.loads(json.dumps(merged([part]))) == part
    assert TESTS.name == "tests"


def test_the_table_names_no_folder_of_this_machine():
    nothing = dict(kind="kinds", lost=[], slowest=0.0, memory=0, **dict.fromkeys(campaign.COUNTS, 1))
    wrong = ['seed 1: File "/home/me/lib/util.py", in fuzz/configs.py']
    attack = campaign.Attack("fuzz/a.py", 1)
    text = campaign.table([attack], {attack.name: {**nothing, "wrong": wrong}})
    assert 'seed 1: File "…/util.py", in fuzz/configs.py' in text and "/home" not in text
    assert not campaign.FOLDERS.search(campaign.PAGE.read_text("utf-8").split(campaign.START)[1])
