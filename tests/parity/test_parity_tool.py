import argparse
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from prior_bench.cli import parity
from prior_bench.errors import BenchError

GOLDEN = Path(__file__).parents[1] / "golden"


def run(folder, *options):
    parser = argparse.ArgumentParser()
    parity.configure(parser)
    return parity.run(parser.parse_args([str(folder), *options]))


@pytest.fixture
def copied(tmp_path):
    """A folder with one fixture in it, and a function to spoil a tensor of it."""
    (tmp_path / "prior").mkdir()
    for suffix in (".json", ".safetensors"):
        shutil.copy((GOLDEN / "prior" / "spb").with_suffix(suffix), tmp_path / "prior")

    def spoil(name, change):
        path = tmp_path / "prior" / "spb.safetensors"
        tensors = load_file(path)
        tensors[name] = change(tensors[name])
        save_file(tensors, path)

    return tmp_path, spoil


def test_untouched_fixture_passes_and_every_quantity_is_printed(copied, capsys):
    folder, _ = copied
    assert run(folder) == 0
    printed = capsys.readouterr().out
    assert "prior/spb: PASS, 10 quantities" in printed
    assert printed.count("PASS  float32") == 10 and "grad.kl.in.predicted" in printed
    assert "1 fixtures, 10 quantities: 1 passed, 0 failed, 0 without a checker" in printed


@pytest.mark.parametrize(
    "name, change",
    [
        ("out.loss", lambda x: x * 1.0001),
        ("out64.mixture", lambda x: x + 1e-8),
        ("grad64.kl.in.predicted", lambda x: x * (1 + 1e-8)),
        ("grad.forward.w.embed.weight", lambda x: x * 1.001),
        ("out.index", lambda x: x + 1),
        ("out.logits", lambda x: x * float("nan")),
        ("out.kl", lambda x: x[None]),
        ("in.features", lambda x: x + 0.01),
    ],
)
def test_spoiled_fixture_fails(copied, capsys, name, change):
    folder, spoil = copied
    spoil(name, change)
    assert run(folder, "--brief") == 1
    printed = capsys.readouterr().out
    assert "prior/spb: FAIL" in printed
    if not name.startswith("in."):
        assert printed.count("  FAIL  ") == 1 and name.replace("64.", ".") in printed


def test_quantity_that_nobody_computes_fails(copied, capsys):
    folder, spoil = copied
    path = folder / "prior" / "spb.safetensors"
    save_file({**load_file(path), "out.mystery": torch.ones(1)}, path)
    assert run(folder, "--brief") == 1
    assert "out.mystery" in capsys.readouterr().out


def test_other_numbers_are_no_fixtures_but_a_lost_half_is_one(copied, capsys):
    folder, _ = copied
    (folder / "protocols").mkdir()
    (folder / "protocols" / "transforms.json").write_text("{}")
    assert run(folder) == 0
    assert "1 fixtures" in capsys.readouterr().out
    (folder / "prior" / "spb.safetensors").unlink()
    assert run(folder) == 1
    assert "prior/spb: FAIL" in capsys.readouterr().out


def test_unknown_fixtures_are_reported_and_do_not_fail(copied, capsys):
    folder, _ = copied
    (folder / "nobody").mkdir()
    for suffix in (".json", ".safetensors"):
        shutil.copy(folder / "prior" / f"spb{suffix}", folder / "nobody" / f"spb{suffix}")
        shutil.copy(folder / "prior" / f"spb{suffix}", folder / "prior" / f"another{suffix}")
    assert run(folder) == 0
    printed = capsys.readouterr().out
    assert "nobody/spb: UNKNOWN, no checker registered" in printed
    assert "prior/another: UNKNOWN, no checker registered" in printed
    assert "1 passed, 0 failed, 2 without a checker" in printed


def test_damaged_fixtures_fail_and_do_not_stop_the_others(copied, capsys):
    folder, _ = copied
    (folder / "prior" / "stage1.json").write_text("{}")
    shutil.copy(folder / "prior" / "spb.safetensors", folder / "prior" / "stage2.safetensors")
    (folder / "prior" / "stage2.json").write_text(json.dumps({"hyper": {"embed_dim": 32}}))
    assert run(folder) == 1
    printed = capsys.readouterr().out
    assert "prior/stage1: FAIL" in printed and "not a fixture" in printed
    assert "prior/stage2: FAIL, checker stopped: KeyError" in printed
    assert "prior/spb: PASS" in printed


def test_folder_without_fixtures_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="no fixture here"):
        run(tmp_path)
