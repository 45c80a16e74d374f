"""The script of a job holds the path of its folder, which may have come from somebody else."""

import subprocess

import pytest

from prior_bench.cluster import sbatch
from prior_bench.errors import BenchError


@pytest.mark.parametrize("name", ["a\ntouch ran\n", "a\rb", "a\x1bb"])
def test_a_folder_whose_name_would_be_a_line_of_the_script_is_refused(name, tmp_path, slurm, cluster):
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(BenchError, match="line break or a control character"):
        sbatch.submit([tmp_path / "job.json"], "table", "name", "token", cluster, folder)
    assert not list(folder.iterdir())


def test_other_names_are_words_of_the_script(tmp_path, slurm, cluster):
    folder = tmp_path / "a $(touch ran) 'b\" ; touch ran #"
    folder.mkdir()
    sbatch.submit([tmp_path / "job.json"], "table", "name", "token", cluster, folder)
    scripts = list(folder.glob("*.sh"))
    for script in scripts:
        subprocess.run(["bash", str(script)], cwd=tmp_path, capture_output=True, timeout=60)
    assert scripts
    assert not (tmp_path / "ran").exists()
