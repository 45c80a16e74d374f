"""A bug report names no patient, no user and no folder, wherever they were planted."""

import getpass
import json
import logging
import os
import time
from pathlib import Path

import pytest

from prior_bench import doctor, logs
from prior_bench.bugreport.collect import bug_report
from prior_bench.bugreport.config_text import config_text
from prior_bench.bugreport.frames import traceback_text
from prior_bench.bugreport.wording import masked
from prior_bench.cli import main
from prior_bench.errors import BenchError

PATIENTS = (
    "p10000032",
    "patient64541",
    "00000013_026",
    "1.2.840.113619.2.55.3",
    "MEIER^ANNA",
    "17",
    "Jiří",
    "Wojcik-Maier",
)
PLACES = (
    "/home/wojcik/x.png",
    "C:\\Users\\wojcik\\x",
    "~/wojcik",
    "../wojcik/p1.dcm",
    "/mnt/Anna Maria/x.csv",
)
SECRETS = (*PATIENTS, *PLACES, "wojcik", "Anna", "Maria")


@pytest.fixture(autouse=True)
def found(monkeypatch, tmp_path):
    """A diagnosis that takes no time, and a results root of the test's own."""
    monkeypatch.setattr(doctor, "examine", lambda: [])
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)


def none_of(secrets, text):
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_not_known_is_masked_in_each_kind_of_message(secret):
    for text in (
        secret,
        f"KeyError: '{secret}'",
        f"{secret}: cannot be read",
        f"row of patient {secret}, image={secret}.png; [{secret!r}]",
        f'no "{secret}" in the column patient_id',
    ):
        none_of([secret], masked(text))


def test_what_prior_bench_and_python_say_is_kept():
    for text in (
        "the column patient_id is missing",
        "ValueError: could not convert string to float: ",
        "No space left on device",
        "demo/linear_probe cannot be evaluated",
    ):
        assert masked(text) == text
    assert masked("shapes cannot be multiplied (3x4 and 17)") == "shapes cannot be multiplied (… and #)"


def test_the_roots_have_names(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "images"))
    text = f"{tmp_path}/images/chexpert/p1.png and {tmp_path}/results/eval: cannot be read"
    assert masked(text) == "<data> and <results>: cannot be read"


def test_the_name_of_the_account_is_masked_even_if_it_is_a_word(monkeypatch):
    from prior_bench.bugreport import wording

    monkeypatch.setattr(getpass, "getuser", lambda: "gray")
    wording._personal.cache_clear()
    try:
        assert masked("image of gray") == "image of …"
    finally:
        wording._personal.cache_clear()


def failing():
    secrets = " ".join(SECRETS)
    raise KeyError(f"no image of {secrets}")


def test_tracebacks_keep_modules_and_lines_and_nothing_of_the_source():
    try:
        json.loads("{")
    except ValueError as error:
        import traceback

        text = "".join(traceback.format_exception(error))
    shown = traceback_text(text)
    assert "json/decoder.py:" in shown and "raw_decode" in shown and "<elsewhere>" in shown
    assert "JSONDecodeError" not in shown or "Expecting" not in shown
    planted = f"""Traceback (most recent call last):
  File "/home/wojcik/prior_bench/engine/runner.py", line 12, in run
    x = "p10000032"
  File "/home/wojcik/site-packages/wojcik.py", line 1, in wojcik
  File "/home/wojcik/prior_bench/p10000032.py", line 3, in p10000032
KeyError: {" ".join(SECRETS)}
"""
    shown = traceback_text(planted)
    none_of(SECRETS, shown)
    assert shown.splitlines()[:2] == [
        "Traceback (most recent call last):",
        "  prior_bench/engine/runner.py:12 run",
    ]
    assert shown.splitlines()[-1].startswith("KeyError: ")


def test_the_config_keeps_its_keys_and_settings():
    source = """
# of Anna Wojcik
wojcik = "/home/wojcik/data"
evaluations = [dict(task="classification", data="csv@/home/wojcik/p10000032", seeds=[0, 12], lr=1e-4)]
only = [10000032]
"""
    shown = config_text(source)
    none_of([*SECRETS[:3], "10000032", "wojcik", "Anna"], shown)
    assert 'task = "classification"' in shown and "seeds = [ 0 , 12 ]" in shown and "lr = 1e-4" in shown
    assert "cannot be read further" in config_text("x = (1,\n'")


def test_the_report_of_a_command_that_failed(monkeypatch, tmp_path, capsys):
    config = tmp_path / "wojcik.py"
    config.write_text('name = "Wojcik"\nbackbones = []\n')
    monkeypatch.setattr("prior_bench.cli.run.run", lambda args: failing())
    assert main(["run", str(config), "--data", "/home/wojcik/p10000032.csv"]) == 1
    err = capsys.readouterr().err
    assert "prior-bench bugreport" in err.split("fix: ")[1]
    raw = logs.latest().read_text("utf-8")
    assert "p10000032" in raw and "MEIER^ANNA" in raw, "they were planted"
    assert main(["bugreport", "-o", "report.txt"]) == 0
    text = Path("report.txt").read_text("utf-8")
    none_of([*SECRETS[:5], *SECRETS[6:], str(tmp_path)], text)
    for part in (
        "prior-bench run <path> --data <path>",
        "KeyError",
        "prior_bench/cli/__init__.py:",
        "backbones =",
    ):
        assert part in text, part


def test_lines_that_are_no_log_are_left_out(tmp_path):
    log = tmp_path / "odd.jsonl"
    lines = [
        "not JSON p10000032",
        "[1]",
        json.dumps({"time": "p10000032", "level": "p10000032", "run": "p10000032", "message": 3}),
        json.dumps({"command": "p10000032", "traceback": ["p10000032"]}),
    ]
    log.write_text("\n".join(lines))
    none_of(PATIENTS[:5], bug_report(log))
    with pytest.raises(BenchError, match="cannot be read"):
        bug_report(tmp_path / "none.jsonl")


def test_without_a_log_it_says_so():
    assert "no log of a command was found" in bug_report()


def test_a_fault_of_another_verb_is_logged_too(monkeypatch, tmp_path):
    monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: failing())
    assert logs.latest() is None
    assert main(["doctor"]) == 1
    assert "KeyError" in bug_report() and logging.getLogger().handlers is not None


def test_a_log_that_is_no_file_or_mostly_holes_is_not_read(tmp_path):
    folder = tmp_path / "results/logs"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "a.jsonl")
    (folder / "b.jsonl").symlink_to("/dev/zero")
    assert "no log of a command was found" in bug_report()
    for log in ("a.jsonl", "b.jsonl"):
        with pytest.raises(BenchError, match="is no regular file"):
            bug_report(folder / log)
    with open(folder / "c.jsonl", "wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(BenchError, match="has 65 MiB; at most 64 are read"):
        bug_report()
    (folder / "c.jsonl").write_text("[" * 100_000 + "\n")
    assert "not known" in bug_report()


def test_long_texts_take_no_longer_than_their_length():
    text = "a [ " * 200_000 + "1" + " " * 500_000
    begun = time.perf_counter()
    assert masked(text).startswith("a [ a [ ")
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(
    ("text", "found"),
    [("Missing it", "Missing it"), ("it:\n Missing", "it:\n Missing"), ("it Wojcik", "it …")],
)
def test_the_first_word_of_a_sentence_may_have_a_capital(text, found):
    assert masked(text) == found
