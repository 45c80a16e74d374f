"""Every task family runs on models that other libraries build, from their reference alone."""

import json

import pytest
import small_open_clip
import small_transformers

from prior_bench.cli import main

SHORT = {
    "classification": ("chexpert", "demo/linear_probe", ()),
    "segmentation": ("siim_acr", "demo/segmentation", ("stopping.epochs=1",)),
    "detection": ("rsna_pneumonia", "demo/detection", ("stopping.epochs=1",)),
    "zero_shot": ("chexpert_5x200", "demo/zero_shot", ()),
    "retrieval": ("mimic_cxr", "demo/retrieval", ()),
}
TOWERS = ("classification", "segmentation", "detection", "zero_shot", "retrieval")
MODELS = {
    "clip": (small_transformers, TOWERS),
    "siglip": (small_transformers, TOWERS),
    "vit_siglip": (small_open_clip, TOWERS),  # of open_clip
    "dinov2_registers": (small_transformers, TOWERS[:3]),
    "swin": (small_transformers, TOWERS[:3]),
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", MODELS)
def test_tasks(kind, tiny_sample, tmp_path, monkeypatch, capsys):
    library, tasks = MODELS[kind]
    library.save(kind, tmp_path / kind)
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    for task in tasks:
        data, protocol, changes = SHORT[task]
        settings = [part for change in changes for part in ("--set", change)]
        given = [
            "--backbone",
            str(tmp_path / kind),
            "--data",
            f"{data}@{tiny_sample / data.removesuffix('_5x200')}",
        ]
        if task == "zero_shot":
            given += ["--option", "per_class=2"]
        assert (
            main(
                [
                    "eval",
                    task,
                    *given,
                    "--device",
                    "cpu",
                    "--protocol",
                    protocol,
                    "--resamples",
                    "20",
                    *settings,
                ]
            )
            == 0
        )
    out = capsys.readouterr().out
    assert out.count(f"{kind} · ") >= len(tasks)
    records = [json.loads(p.read_text()) for p in (tmp_path / "results/eval/runs").glob("*/record.json")]
    assert {record["spec"]["task"] for record in records} == set(tasks)
    source = "transformers" if library is small_transformers else "open_clip"
    for record in records:
        assert record["status"] == "done" and record["provenance"]["backbone"]["source"] == source
        filter = record["provenance"]["input"].get("interpolation", "bilinear")
        assert filter == ("bicubic" if len(tasks) == len(TOWERS) else "bilinear")


def test_a_task_that_needs_texts_is_refused_for_an_image_encoder(tmp_path, tiny_sample, capsys, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    small_transformers.save("vit", tmp_path / "vit")
    data = f"mimic_cxr@{tiny_sample / 'mimic_cxr'}"
    assert main(["eval", "retrieval", "--backbone", str(tmp_path / "vit"), "--data", data]) != 0
    assert "no text encoder" in capsys.readouterr().err
