"""The notebook of the documentation runs from its first cell to its last."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parent.parent.parent / "docs/notebooks/first_steps.ipynb"


@pytest.fixture(scope="module")
def executed(tiny_sample, tmp_path_factory):
    """The notebook with its outputs, run in a folder that holds modules called as our packages are."""
    folder = tmp_path_factory.mktemp("notebook")
    for name in ("tasks.py", "baselines.py"):
        (folder / name).write_text("raise ImportError('the user\\'s file was imported')\n")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
        patch.setenv("PRIOR_BENCH_DATA", str(tiny_sample.parent))
        patch.setenv("PRIOR_BENCH_RESULTS", str(folder / "results"))
        patch.setenv("PRIOR_BENCH_CACHE", str(folder / "cache"))
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return notebook


def shown(notebook, source: str) -> str:
    """What the cell that holds ``source`` shows, as text and HTML."""
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source)
    parts = []
    for output in cell.outputs:
        parts += [output.get("text", ""), *output.get("data", {}).values()]
    return "\n".join(parts)


def test_every_cell_runs_and_the_results_are_shown(executed):
    value, low, high = map(float, re.findall(r"0\.\d+", shown(executed, 'interval("auroc")'))[:3])
    assert low <= value <= high
    assert "<table" in shown(executed, "random.table()")
    assert "gives no feature maps" in shown(executed, "except pb.BenchError")
    assert "dice_micro" in shown(executed, "siim_acr")
    assert "verdict" in shown(executed, "pb.compare")
    zero_shot = shown(executed, '"zero_shot"')
    assert "ConVIRT" in zero_shot and "Synthetic data" in zero_shot
    board = shown(executed, "pb.table")
    assert all(name in board for name in ("Random", "Mine", "ConVIRT", "Mean rank"))


def test_the_notebook_is_kept_without_outputs():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
