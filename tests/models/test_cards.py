"""Cards of public models: valid, complete, and in agreement with layouts, protocols and libraries."""

import json

import open_clip
import pytest
import timm

from prior_bench import paths
from prior_bench.backbones.card import CardModel
from prior_bench.checkpoints.layouts import layout_named
from prior_bench.cli import main
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError, ErrorList
from prior_bench.models.cards import model_card, model_cards
from prior_bench.models.text import card_as_text
from prior_bench.schema.errors import checked
from prior_bench.schema.model import ModelCard
from prior_bench.suites import protocols

CARDS = model_cards()
LAYOUTS = {
    "prior": "PRIOR, ResNet-50",
    "prior_image": "PRIOR, image encoder",
    "biovil": "BioViL, ResNet-50",
    "biovil_t": "BioViL-T, ResNet-50",
    "medclip_r50": "MedCLIP, ResNet-50",
    "medclip_vit": "MedCLIP, Swin-T",
    "cxr_clip_r50": "CXR-CLIP, ResNet-50",
    "cxr_clip_swin": "CXR-CLIP, Swin-T",
    "medklip": "MedKLIP, ResNet-50",
    "mavl": "MAVL, ResNet-50",
    "kad": "KAD, ResNet-50, with its text encoder",
    "carzero": "CARZero, ViT-B/16",
    "mrm": "MRM, ViT-B/16",
    "maco": "MaCo, ViT-B/16",
    "ecamp": "ECAMP, ViT-B/16",
    "eva_x_ti": "EVA-X-Ti/16",
    "eva_x_s": "EVA-X-S/16",
    "eva_x_b": "EVA-X-B/16",
    "ark": "Ark, Swin-B",
    "ark_plus": "Ark+, Swin-L at 768 pixels",
    "xrv_densenet121": "torchxrayvision, DenseNet-121",
    "xrv_resnet50": "torchxrayvision, ResNet-50",
    "chexnet": "CheXNet (arnoweng), DenseNet-121",
    "gloria": "GLoRIA, ResNet-50",
    "mgca_r50": "MGCA, ResNet-50",
    "mgca_vit": "MGCA, ViT-B/16",
    "convirt_mgca_r50": "ConVIRT (MGCA repository), ResNet-50",
    "convirt_mgca_vit": "ConVIRT (MGCA repository), ViT-B/16",
    "convirt_edreis": "ConVIRT (edreisMD), ResNet-50",
    "convirt_benchx": "ConVIRT (BenchX), ResNet-50",
    "gloria_benchx": "GLoRIA, ResNet-50",
    "m_flag": "M-FLAG (BenchX), ResNet-50",
    "medklip_benchx": "MedKLIP, ResNet-50",
    "mgca_r50_benchx": "MGCA, ResNet-50",
    "mgca_vit_benchx": "MGCA, ViT-B/16",
    "mrm_benchx": "MRM, ViT-B/16",
    "ptunifier": "PTUnifier (BenchX), ViT-B/16",
    "refers": "REFERS (BenchX), ViT-B/16",
}
"""Layout of the file of each card whose row is a checkpoint."""


def test_there_is_a_card_for_each_model_of_the_field():
    assert len(CARDS) == 49
    of_files = {name for name, card in CARDS.items() if card.row and card.row.type == "checkpoint"}
    assert of_files == set(LAYOUTS)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_makes_a_source_and_names_what_there_is(name):
    card = CARDS[name]
    assert CardModel("row", name).name == "row"
    assert card.row is not None or card.limits.endswith("(docs/embeddings.md).")
    if card.zero_shot is not None:
        assert not card.zero_shot.protocol or protocols.load(card.zero_shot.protocol).task == "zero_shot"
        assert card.zero_shot.prompts in ("", *prompts.names())
    assert f"--backbone {name}" in card_as_text(name, card)
    configs = {path.stem for path in (paths.shipped("configs") / "pretrain").rglob("*.py")}
    assert name not in configs and "@" not in name and ":" not in name


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_card_agrees_with_the_layout_of_its_file(name):
    layout, card = layout_named(LAYOUTS[name]), CARDS[name]
    assert layout is not None
    seen = {data for data, _ in layout.exposure}
    if name == "gloria_benchx":  # the names of tensors do not tell it from its authors' file
        assert card.limits.endswith("takes it to have seen CheXpert, too.") and seen == {"chexpert"}
    else:
        assert set(card.trained_on) >= seen, "the card knows of less"
    assert (card.loads == "whole") or layout.of_both is None
    assert card.loads == "image" or layout.of_both is not None or not card.text
    stated = layout.image_encoder["input"]
    assert card.input.startswith(f"{stated['size']} pixels")
    if isinstance(stated["mean"], float) and stated["mean"] > 0 and "1024" not in card.input:
        shown = [f"{stated[key]:.4f}" for key in ("mean", "std")]
        assert all(number.rstrip("0") in card.input for number in shown), shown


def test_models_of_libraries_are_known_to_them():
    for card in CARDS.values():
        row = card.row_arguments()
        if row.get("type") == "timm":
            assert row["image_encoder"] in timm.list_pretrained()
        elif row.get("type") == "open_clip" and "/" in row["model"]:
            name, _, tag = row["model"].partition("/")
            if name in open_clip.list_models():
                assert tag in open_clip.list_pretrained_tags_by_model(name)


def test_chexzero_has_the_statistics_of_its_code_which_are_for_pixels_up_to_255():
    row = model_card("chexzero").row_arguments()
    assert row["model"] == "ViT-B-32-quickgelu@{weights}"
    assert row["input"]["mean"] * 255 == pytest.approx(101.48761, abs=1e-5)
    assert row["input"]["std"] * 255 == pytest.approx(83.43944, abs=1e-5)


def test_an_inconsistent_card_is_refused_with_the_reason():
    values = json.loads((paths.shipped("configs") / "models/maco.json").read_text("utf-8"))
    for change, message in (
        ({"row": None}, "a row is needed exactly if the model loads"),
        ({"limits": ""}, "limits must say why"),
        ({"weights": {"where": "there"}}, "belong together"),
        ({"text": ""}, "zero_shot needs a text encoder"),
        ({"trained_on": {"mimic": "seen"}}, "did you mean mimic_cxr"),
        ({"acess": "open"}, "did you mean access"),
    ):
        with pytest.raises(ErrorList, match=message):
            checked(ModelCard, {**values, **change})
    with pytest.raises(BenchError, match="did you mean chexzero"):
        model_card("chexzerro")


def test_the_commands_list_and_describe(capsys):
    assert main(["list", "models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(CARDS)
    shown = next(line.split() for line in lines if line.split()[0] == "maco")
    assert shown[-3:] == ["image", "encoder,", "layout"]
    assert main(["model", "describe", "chexzero"]) == 0
    text = capsys.readouterr().out
    assert (
        "Commons Clause" in text and "models/chexzero/chexzero.pt" in text and "clean/zero_shot_pairs" in text
    )
    assert main(["model", "describe", "chexzerro"]) == 1
    assert "did you mean chexzero" in capsys.readouterr().err
