"""Code that a model brings is run only if the user names the model, and the record then says so."""

import json

import pytest
import small_transformers as small
import torch
from safetensors.torch import save_file

from prior_bench.backbones.hf import TransformersModel
from prior_bench.errors import BenchError

CODE = """
import os

from transformers import PretrainedConfig, ViTConfig, ViTModel

os.environ["PRIOR_BENCH_TEST_CODE_WAS_RUN"] = "yes"


class OwnConfig(ViTConfig):
    model_type = "own_vit"


class OwnModel(ViTModel):
    config_class = OwnConfig

    def forward(self, pixel_values, **options):
        return super().forward(pixel_values * 2, **options)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("PRIOR_BENCH_TEST_CODE_WAS_RUN", raising=False)
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    target = tmp_path / "own"
    # transformers translates names by the type of the model, of which its own code has another one
    save_file(small.save("vit", target).state_dict(), target / "model.safetensors", metadata={"format": "pt"})
    (target / "modeling_own.py").write_text(CODE)
    config = json.loads((target / "config.json").read_text())
    own = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}
    (target / "config.json").write_text(json.dumps({**config, "model_type": "own_vit", "auto_map": own}))
    return target


def was_run():
    import os

    return "PRIOR_BENCH_TEST_CODE_WAS_RUN" in os.environ


def test_it_is_not_run_by_default(folder):
    with pytest.raises(BenchError, match="code of its own, which is not run\n.*--remote-code own"):
        TransformersModel("x", str(folder)).check()
    with pytest.raises(BenchError, match="remote_code is 'other', but the model is 'own'"):
        TransformersModel("x", str(folder), remote_code="other").check()
    assert not was_run()


def test_it_is_run_for_the_model_that_is_named(folder, context, tmp_path, monkeypatch):
    with pytest.raises(
        BenchError, match="no rule for the global feature of a model of type 'own_vit'\n.*--pool"
    ):
        TransformersModel("x", str(folder), remote_code="own").check()
    source = TransformersModel("x", str(folder), remote_code="own", pool="cls")
    source.check()
    backbone = source.load(0, context)
    assert was_run() and backbone.provenance["remote_code"] == "own"
    plain = small.save("vit", tmp_path / "plain")
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = plain(images * 2).last_hidden_state[:, 0]
        assert torch.allclose(backbone.image_encoder(images).global_, expected, atol=1e-4)
    monkeypatch.delenv("PRIOR_BENCH_TEST_CODE_WAS_RUN")
