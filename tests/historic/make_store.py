"""Write a small store as today's code writes it, from tiny real runs; kept for the tests of later versions.

python tests/historic/make_store.py tests/historic/stores/schema1_2026_11_24

Run it when the layout of records changes, into a new folder; never replace an old one.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

SUITE = """
name = "historic"
seeds = [0, 1]
backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="Random too", type="random", config="mgca_sample"),
]
evaluations = [
    dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe", seeds=[0]),
    dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe_corrupted", seeds=[0],
         overrides=dict(options=dict(corruptions=["noise", "blur"], severities=[1, 5]))),
    dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot_corrupted", seeds=[0],
         overrides=dict(options=dict(corruptions=["jpeg"], severities=[3]))),
    dict(task="throughput", data="sample:chexpert", protocol="clean/throughput", seeds=[0],
         overrides=dict(options=dict(warmup=1, repeats=2))),
    dict(task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval", seeds=[0]),
    dict(task="segmentation", data="sample:siim_acr", protocol="demo/segmentation", seeds=[0],
         overrides=dict(stopping=dict(epochs=2))),
    dict(task="detection", data="sample:rsna_pneumonia", protocol="demo/detection", seeds=[0],
         overrides=dict(stopping=dict(epochs=2))),
]
"""


def main(target: Path) -> None:
    if target.exists():
        raise SystemExit(f"{target} exists; stores of the past are not replaced")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("DATA", "CACHE", "RESULTS"):
            os.environ[f"PRIOR_BENCH_{name}"] = str(Path(folder) / name.lower())
        os.environ["PRIOR_BENCH_SAMPLE_SIZE"] = "tiny"
        (Path(folder) / "historic.py").write_text(SUITE)
        from prior_bench.cli import main as prior_bench

        os.chdir(folder)
        status = prior_bench(["run", "historic.py", "--device", "cpu"])
        if status:
            raise SystemExit(status)
        made = Path(folder) / "results" / "historic"
        shutil.copytree(made, target, ignore=shutil.ignore_patterns("work", ".lock"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
