"""Features of image and text encoders with drawn weights, tokens, checkpoints' mapping, and shared losses."""

import json
from pathlib import Path

import small_open_clip
import small_transformers
import timm
import torch
from golden_case import TRAINED, Case, Numbers, summary
from tiny_data import tiny_manifest
from tiny_methods import CNN, TEXT, TEXTS, TOKENIZER, VIT, batch

from prior_bench.api import LoadContext, RunContext
from prior_bench.backbones.hf import TransformersModel
from prior_bench.backbones.open_clip import OpenClipModel
from prior_bench.checkpoints.architectures import arguments_for
from prior_bench.checkpoints.folders import encoder_of_folder
from prior_bench.checkpoints.recognise import load_image_weights
from prior_bench.encoders.image import ImageEncoder, input_of, known_model
from prior_bench.encoders.text import TextEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.features.extract import Feed, extract
from prior_bench.features.similarity import similarity_matrix
from prior_bench.losses.contrastive import Temperature, info_nce
from prior_bench.mock import mock_backbone
from prior_bench.pretraining.synchronised import synchronised
from prior_bench.probing.logistic import probe
from prior_bench.probing.model import classification_loss

REPORTS = [
    *TEXTS,
    ("An unseen word: hydropneumothorax.", "2.5 cm nodule, XXXX."),
    tuple(f"Sentence number {n} is long." for n in range(9)),
]


def image_encoders(folder: Path) -> Numbers:
    found = {}
    for name, arguments in {
        "cnn": CNN,
        "cnn, attention pool": {**CNN, "pool": "attention"},
        "cnn, earlier local stage": {**CNN, "local_stage": -2},
        "vit": VIT,
    }.items():
        torch.manual_seed(0)
        features = ImageEncoder(**arguments).eval()(batch().images)
        found[name] = {"global": summary(features.global_), "local": summary(features.local)}
    return found


def input_statistics(folder: Path) -> Numbers:
    """Mean and deviation that timm's description of weights and a folder's configs state, by channel."""
    found = {}
    for name, channels in (("resnet18", 3), ("resnet18", 1), ("vit_base_patch16_clip_224.openai", 3)):
        stated = input_of(known_model(name), channels)
        found[f"{name}, {channels}"] = [stated["mean"], stated["std"]]
    weights = {"mean": [0.4, 0.5, 0.6], "std": [0.1, 0.2, 0.3], "input_size": [3, 64, 64]}
    for channels in (3, 1):
        model = {"architecture": "resnet18", "model_args": {"in_chans": channels}, "pretrained_cfg": weights}
        (folder / "config.json").write_text(json.dumps(model))
        stated = encoder_of_folder(folder)["input"]
        found[f"folder, {channels}"] = [stated["mean"], stated["std"]]
    return found


def synchronised_statistics(folder: Path) -> Numbers:
    """Features of a model whose layers normalise and activate, after the conversion."""
    torch.manual_seed(0)
    model = synchronised(timm.create_model("test_efficientnet", num_classes=0))
    with torch.no_grad():
        return {"features": summary(model.eval()(torch.rand(2, 3, 64, 64)))}


def recognition(folder: Path) -> Numbers:
    """Heads and pooling of ViTs whose tensors do not show them."""
    with torch.device("meta"):
        tensors = timm.create_model("vit_tiny_patch16_224", num_classes=0).state_dict()
    averaged = {
        name.replace("norm.", "fc_norm.") if name.count(".") == 1 else name: t for name, t in tensors.items()
    }
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": 12}))
    heads = arguments_for(tensors, folder)["model_args"]["num_heads"]
    pooled = arguments_for(averaged, folder / "file.pth")["model_args"]["global_pool"] == "avg"
    return {"heads": [heads], "mean of patches": [float(pooled)]}


def text_encoders(folder: Path) -> Numbers:
    found = {}
    for name, changes in {
        "mean": {},
        "first": dict(pool="cls"),
        "two last layers": dict(last_layers=2),
    }.items():
        torch.manual_seed(0)
        features = TextEncoder(**{**TEXT, **changes}).eval()(batch().text)
        found[name] = {"pooled": summary(features.pooled), "tokens": summary(features.tokens)}
    return found


def tokens(folder: Path) -> Numbers:
    trained = ReportTokenizer.train(REPORTS, 90, 24)
    found = {}
    for name, tokenizer in (("small", trained), ("other corpus", TOKENIZER)):
        encoded = tokenizer(REPORTS)
        found[name] = {
            "vocabulary": tokenizer.vocab_size,
            "lengths": tokenizer.lengths(REPORTS),
            "ids": encoded.input_ids.tolist(),
            "sentences": encoded.sentence_index.tolist(),
            "words": encoded.word_index.tolist(),
        }
    return found


def shared_losses(folder: Path) -> Numbers:
    draw = torch.Generator().manual_seed(0)
    image, text = (torch.randn(6, 5, generator=draw) for _ in range(2))
    found = {str(t): [float(loss) for loss in info_nce(image, text, t)] for t in (0.07, 0.5)}
    learned = Temperature(0.07, learnable=True, minimum=0.05)
    losses = sum(info_nce(image, text, learned()))
    losses.backward()
    return {**found, "learned": [float(learned().detach()), float(learned.logit_scale.grad)]}


def foreign_weights(folder: Path) -> Numbers:
    """A colour checkpoint of another naming, into a grey encoder."""
    torch.manual_seed(1)
    colour = ImageEncoder(**{**CNN, "in_channels": 3}).model.state_dict()
    torch.save({"state_dict": {f"module.encoder.{k}": v for k, v in colour.items()}}, folder / "weights.pth")
    torch.manual_seed(0)
    encoder = ImageEncoder(**CNN).eval()
    told = load_image_weights(encoder, folder / "weights.pth")
    return {
        "recognised": {name: told[name] for name in ("layout", "prefix", "share")},
        "features": summary(encoder(batch().images).global_),
    }


def frozen_features(folder: Path) -> Numbers:
    data, context = tiny_manifest(folder), RunContext(work_dir=folder / "work", cache_dir=folder / "cache")
    backbone = mock_backbone()
    texts = [("There is edema.",), ("There is no edema.",), ("There is pleural effusion.", "Study 3.")]
    return {
        "global": summary(extract(backbone, data, context)),
        "joint": summary(extract(backbone, data, context, "joint")),
        "resized": summary(extract(backbone, data, context, feed=Feed(backbone.input, {"Resize": 80}))),
        "similarity": summary(similarity_matrix(backbone, data, texts, context)),
    }


def linear_probe(folder: Path) -> Numbers:
    draw, found = torch.Generator().manual_seed(0), {}
    sizes = {"train": 40, "valid": 20, "test": 10}
    labels = {part: torch.randint(0, 2, (n, 2), generator=draw).float() for part, n in sizes.items()}
    features = {
        part: (torch.randn(n, 6, generator=draw) + labels[part].repeat(1, 3)).numpy() * [1, 5, 1, 20, 1, 1]
        + 3
        for part, n in sizes.items()
    }
    for exclusive in (False, True):
        targets = {part: one.numpy() for part, one in labels.items()}
        if exclusive:
            targets = {
                part: torch.stack([one[:, 0], 1 - one[:, 0]], 1).numpy() for part, one in labels.items()
            }
        strengths = (1e-3, 1e-2, 0.1, 1.0)
        out = probe(features, targets, exclusive=exclusive, strengths=strengths)
        found["exclusive" if exclusive else "multi-label"] = {
            "valid": summary(out.valid),
            "test": summary(out.test),
            "auroc": [entry["auroc"] for entry in out.history],
        }
    return found


def classifier_loss(folder: Path) -> Numbers:
    """With a label that is not known."""
    draw = torch.Generator().manual_seed(0)
    logits, target = torch.randn(5, 3, generator=draw), torch.eye(3)[[0, 1, 2, 1, 1]]
    exclusive = float(classification_loss(logits, target, exclusive=True))
    target[1, 2] = target[3, 0] = torch.nan
    several = float(classification_loss(logits, target, exclusive=False))
    return {"exclusive": exclusive, "multi-label": several}


def library_models(folder: Path) -> Numbers:
    """Features at two sizes, logits and inputs of small models that transformers and open_clip build."""
    found = {}
    makers = {
        "clip": (small_transformers, TransformersModel),
        "siglip": (small_transformers, TransformersModel),
        "dinov2_registers": (small_transformers, TransformersModel),
        "swin": (small_transformers, TransformersModel),
        "vit_siglip": (small_open_clip, OpenClipModel),
    }
    draw = torch.Generator().manual_seed(0)
    for kind, (library, source) in makers.items():
        library.save(kind, folder / kind)
        backbone = source(kind, str(folder / kind)).load(0, LoadContext())
        numbers = {"input": {name: str(value) for name, value in backbone.input.to_dict().items()}}
        for size in (32, 48):
            images = torch.rand(2, 3, size, size, generator=draw)
            features = backbone.image_encoder(images)
            numbers[f"global, {size}"] = summary(features.global_)
            numbers[f"local, {size}"] = summary(features.local)
        if backbone.method is not None:
            words = backbone.method.text_encoder.tokenizer([("No pneumothorax.", "Mild edema."), ("Clear.",)])
            image, text = backbone.method.encode_image(images), backbone.method.encode_text(words)
            numbers["logits"] = backbone.method.similarity(image, text).tolist()
        found[kind] = numbers
    return found


CASES = [
    Case("image encoders", ("image_encoder",), image_encoders),
    Case("input statistics", ("input_statistics",), input_statistics),
    Case("synchronised statistics", ("synchronised_statistics",), synchronised_statistics),
    Case("recognition", ("recognition",), recognition),
    Case("text encoders", ("text_encoder", "tokenizer"), text_encoders),
    Case("tokens", ("tokenizer",), tokens),
    Case("shared losses", ("losses",), shared_losses),
    Case("foreign weights", ("checkpoints", "image_encoder"), foreign_weights),
    Case("models of other libraries", ("libraries",), library_models, rtol=1e-3, atol=1e-3),
    Case("frozen features", ("features", "images", "eval_transform"), frozen_features, rtol=1e-3, atol=1e-3),
    Case("classifier's loss", ("linear_probe",), classifier_loss),
    Case("linear probe", ("linear_probe",), linear_probe, rtol=TRAINED),
]
