"""The command line never shows a traceback unasked: not of the system's errors, and not of its own faults."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.store.store import Store

REAL = Path(__file__).parents[1] / "data/hannover_cxr/metadata.csv"


def failing(error):
    def run(*arguments, **options):
        raise error

    return run


def test_an_internal_fault_names_the_command_and_where_to_report_it(monkeypatch, capsys):
    monkeypatch.setattr("prior_bench.data.checking.check.check", failing(KeyError("x")))
    assert main(["data", "check", str(REAL)]) == 1
    err = capsys.readouterr().err
    assert "internal fault of prior-bench: KeyError: 'x'" in err and f"prior-bench data check {REAL}" in err
    assert "fix: report it" in err and "Traceback" not in err
    place = Path(err.split("traceback: ")[1].splitlines()[0])
    assert "KeyError: 'x'" in place.read_text()
    place.unlink()
    with pytest.raises(KeyError):
        main(["--debug", "data", "check", str(REAL)])


def test_errors_of_the_system_name_the_file(monkeypatch, capsys):
    error = PermissionError(13, "Permission denied", "/some/where")
    monkeypatch.setattr("prior_bench.data.checking.check.check", failing(error))
    assert main(["data", "check", str(REAL)]) == 1
    assert "/some/where: cannot be read or written (Permission denied)\n  fix: " in capsys.readouterr().err


def test_a_results_root_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "file"))
    store = Store.of("eval")
    for writing in (store.writing, lambda: store.claims.take("key")):
        with (
            pytest.raises(BenchError, match="cannot be written(.|\n)*PRIOR_BENCH_RESULTS"),
            writing(),
        ):
            pass


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_characters_that_the_output_lacks_are_replaced(monkeypatch, encoding):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: print("≈ ↑ x"))
    main(["doctor"])
    out.flush()
    assert out.buffer.getvalue().decode(encoding).strip() == "? ? x"


@pytest.mark.slow
def test_the_process_prints_under_any_encoding():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "prior_bench", "list", "protocols"]
    assert subprocess.run(command, env=environment, capture_output=True, timeout=120).returncode == 0
