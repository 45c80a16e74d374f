"""docs/models.md: its layout reads a file, its table is generated, what it says of names holds."""

import re
from pathlib import Path

import pytest
import torch
import torchvision

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.reference import backbone_row
from prior_bench.cli import main
from prior_bench.registry import BACKBONES, LAYOUTS
from prior_bench.schema.arguments import argument_errors

TEXT = (Path(__file__).parent.parent.parent / "docs/models.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S))


@pytest.fixture
def own_layout():
    """The layout of the page, registered as its entry point would be."""
    values: dict = {}
    exec(BLOCKS["python"], values)
    LAYOUTS.register_module("my_model", force=True, module=values["layouts"])
    yield
    LAYOUTS._module_dict.pop("my_model")


def state_dict():
    model = torchvision.models.resnet18()
    state = {f"module.visual.{name}": tensor for name, tensor in model.state_dict().items()}
    others = {
        "module.text.embeddings.weight": torch.zeros(4, 2),
        "module.projection.weight": torch.zeros(2, 2),
    }
    return model, {**state, **others}


def test_the_layout_of_the_page_has_about_40_lines_and_loads_a_file(own_layout, tmp_path, capsys):
    assert 35 <= len(BLOCKS["python"].strip().splitlines()) <= 45
    model, state = state_dict()
    torch.save({"state_dict": state}, tmp_path / "mine.pt")
    assert main(["checkpoint", "inspect", str(tmp_path / "mine.pt")]) == 0
    text = capsys.readouterr().out
    assert "MyModel, ResNet-18 (released: github.com/me/my-model)" in text and "100.0%" in text
    assert "resize 'crop' of 256 pixels" in text
    source = CheckpointFile("row", str(tmp_path / "mine.pt"))
    source.check()
    encoder, images = source.load(0, LoadContext()).image_encoder, torch.rand(2, 3, 64, 64)
    body = torch.nn.Sequential(*list(model.eval().children())[:-1])
    with torch.no_grad():
        assert torch.allclose(encoder(images).global_, body(images).flatten(1), atol=1e-5)
    assert source.known_exposure() == [("mimic_cxr", "pre-trained on MIMIC-CXR, by its authors' paper")]


def test_a_file_that_lacks_a_tensor_of_the_layout_is_refused(own_layout, tmp_path, capsys):
    _, state = state_dict()
    state.pop("module.visual.layer4.1.bn2.weight")
    torch.save(state, tmp_path / "mine.pt")
    assert main(["checkpoint", "inspect", str(tmp_path / "mine.pt")]) == 1
    assert "missing module.visual.layer4.1.bn2.weight" in capsys.readouterr().out


def test_the_table_is_what_the_command_prints(capsys):
    assert main(["model", "table"]) == 0
    fix = "replace what follows <!-- cards --> by the output of: prior-bench model table"
    assert TEXT.split("<!-- cards -->\n")[1] == capsys.readouterr().out, fix


def test_the_row_and_the_names_of_the_page_are_valid():
    row = eval(re.search(r'`(dict\(name="CheXzero".*?\))`', TEXT, re.S)[1])
    arguments = {key: value for key, value in row.items() if key != "type"}
    assert argument_errors(BACKBONES.get(row["type"]), {**arguments, "weights": "PATH"}, "page") == []
    named = re.findall(r"`--backbone (\S+?)`", TEXT)
    assert {backbone_row(name)["model"] for name in named} == {"chexzero"} and len(named) == 2


def test_commands_of_the_page_parse(capsys, monkeypatch, tmp_path):
    from prior_bench.cli import build_parser

    lines = re.findall(r"^(prior-bench [^\n]*?)(?:  .*)?$", TEXT, re.M)
    assert len(lines) == 4
    for line in lines:
        build_parser().parse_args(line.split()[1:])
