import pytest
import torch

from benchmarks import gpu, gpu_gathering, gpu_operators


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_line(capsys):
    assert gpu.main([]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "no CUDA device is visible" in err


def test_an_operator_that_differs_is_seen():
    assert set(gpu_operators.differences("cpu").values()) == {0.0}
    assert gpu_operators._difference((torch.ones(3),), (torch.ones(3) * 1.5,)) == 0.5
    assert gpu_operators._difference((torch.ones(3),), (torch.ones(2),)) == float("inf")


def test_what_is_wrong_on_a_device_is_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "differences", lambda device: {"nms": 0.0, "roi_align": float("nan")})
    monkeypatch.setattr(gpu, "difference", lambda count, device: 1.0 if count == 2 else 0.0)
    monkeypatch.setattr(gpu, "_epochs", lambda *sizes: None)
    monkeypatch.setattr(gpu, "_steps", lambda *sizes: None)
    assert gpu.main(["--device", "cpu", "--small"]) == 1
    assert capsys.readouterr().err == "wrong on this device: roi_align, gathering over 2\n"


@pytest.mark.slow
def test_gathering_over_two_processes_is_that_of_one():
    assert gpu_gathering.difference(2, "cpu") < 1e-6


@pytest.mark.slow
def test_the_same_code_runs_on_a_cpu(capsys):
    assert gpu.main(["--device", "cpu", "--small"]) == 0
    out = capsys.readouterr().out
    assert "no number below is of a GPU" in out
    rows = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("|")]
    waits = {row[0].strip(): int(row[-1]) for row in rows if len(row) == 7 and row[-1].strip().isdigit()}
    assert waits == {"convirt": 0, "gloria": 0, "mgca": 0, "prior": 1}
    losses = [row for row in rows if len(row) == 3 and ", loss" in row[0]]
    assert len(losses) > 4 and all(float(amp) == float(full) for _, amp, full in losses)
