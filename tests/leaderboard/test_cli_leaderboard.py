"""Bundles and leaderboards from the command line: what is printed, and the exit status."""

import json

import pytest
from bundled_store import REAL, bundled, edited, keyed, members_of, record_member, resealed

from prior_bench.cli import main


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return keyed(tmp_path / "results/mine", {"A": 1.0}, seeds=1)


def test_a_bundle_is_made_checked_and_shown(suite, tmp_path, capsys):
    assert main(["results", "bundle", "mine", "--title", "Mine", "--predictions"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("1 records, 1 with predictions: mine-bundle.zip\nsha256 ") and err == ""
    assert main(["leaderboard", "check", "mine-bundle.zip"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sound: mine-bundle.zip: 1 records, sha256 ")
    assert "  verified: numbers of 1 records recomputed from predictions" in out
    assert main(["leaderboard", "build", ".", "--out", "site", "--title", "Board"]) == 0
    assert capsys.readouterr().out == "1 bundle, 1 row, 1 protocol: site\n"
    assert (tmp_path / "site/index.html").is_file()


def test_labels_of_real_data_are_warned_of(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    keyed(tmp_path / "results/real", {"A": 1.0}, seeds=1, data=REAL)
    assert main(["results", "bundle", "real", "--title", "t"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["results", "bundle", "real", "--title", "t", "--predictions"]) == 0
    assert "labels of the test images of chexpert; share it" in capsys.readouterr().err


def test_one_bundle_that_is_not_sound_is_status_1(suite, tmp_path, capsys):
    good = bundled(suite, tmp_path / "good.zip", predictions=False)
    members = members_of(good)
    name = record_member(members)
    forged = edited(members[name], lambda record: record["spec"].update(seed=9))
    resealed(tmp_path / "bad.zip", {**members, name: forged})
    (tmp_path / "none.zip").write_bytes(b"x")
    assert main(["leaderboard", "check", "good.zip", "bad.zip", "none.zip"]) == 1
    out, err = capsys.readouterr()
    assert "sound: good.zip" in out and "unverified: 1 records: no predictions are enclosed" in out
    assert (
        "bad.zip" not in out and "not sound: bad.zip: " in err and "not sound: none.zip: is no bundle" in err
    )
    assert main(["leaderboard", "check", "good.zip", "bad.zip", "none.zip", "--json"]) == 1
    assert [one["sound"] for one in json.loads(capsys.readouterr().out)] == [True, False, False]
    assert main(["leaderboard", "check", "--", "good.zip"]) == 0
    assert main(["leaderboard", "build", ".", "--out", "site"]) == 1
    assert "left out: bad.zip: " in capsys.readouterr().err and (tmp_path / "site/index.html").is_file()


def test_a_store_that_is_not_there_and_a_title_that_is_missing(suite, tmp_path, capsys):
    assert main(["results", "bundle", "other", "--title", "t"]) == 1
    assert "no store 'other'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["results", "bundle", "mine"])
    assert stopped.value.code == 2
    assert main(["leaderboard", "build", "nowhere", "--out", "site"]) == 1
    assert "is no folder" in capsys.readouterr().err
