"""Decoders and detectors of dense protocols: layers, initial weights, what is frozen, planted outputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from prior_bench.api import Protocol
from prior_bench.openmmlab.backbone import MapReader
from prior_bench.openmmlab.detector import STRIDES, build_detector
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.segmentor import build_segmentor
from prior_bench.protocol_parity.ingredients import Values

from .dense_planted import plant, sketch, wave
from .toy_run import toy_run

MAPS: dict[str, Any] = dict(type="PrecomputedMaps")


class _Encoder(nn.Module):
    """An image encoder of five blocks of a convolution and BatchNorm, with maps of strides 2 to 32."""

    stage_strides = (2, 4, 8, 16, 32)
    stage_channels = (4, 4, 6, 6, 8)

    def __init__(self) -> None:
        super().__init__()
        widths = zip((3, *self.stage_channels), self.stage_channels, strict=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after))
            for before, after in widths
        )

    def feature_maps(self, images: Tensor, stages: tuple[int, ...]) -> tuple[Tensor, ...]:
        """Return the maps of some stages."""
        found = []
        for block in self.blocks:
            images = block(images)
            found.append(images)
        return tuple(found[stage] for stage in stages)


def decoder(protocol: Protocol, given: Values) -> Values:
    """Describe the decoder on maps of ``channels``, and its logits of planted maps at planted weights."""
    model = build(protocol, tuple(given["channels"]))
    head = model.decode_head
    last = [*head.conv_seg.parameters()]
    rest = [p for name, p in head.named_parameters() if not name.startswith("conv_seg")]
    described = _described([*rest, *last])
    described["bias"] = float(last[-1].detach().abs().max())
    plant([*rest, *last])
    size, maps = given["size"], []
    if getattr(head, "takes_images", False):
        maps.append(wave(1, 3, size, size, start=1))
    for channels, stride in zip(given["channels"], protocol.head["strides"], strict=True):
        maps.append(wave(1, channels, size // stride, size // stride, start=stride))
    with torch.no_grad():
        logits = model.eval().encode_decode(tuple(maps), [dict(img_shape=(size, size))])
    described["logits_shape"] = list(logits.shape)
    if logits.shape[1] == 2:  # what a softmax sees
        logits = logits[:, 1:] - logits[:, :1]
    return {**described, "logits": sketch(logits)}


def detector(protocol: Protocol, given: Values) -> Values:
    """Describe the detector on maps of ``channels``, and its outputs of planted maps at planted weights."""
    model = build(protocol, tuple(given["channels"]))
    neck, head = model.neck, model.bbox_head
    parts = []
    for level in range(3):
        parts += [getattr(neck, f"conv{level}")] if level else []
        parts += [getattr(neck, f"detect{level + 1}"), head.convs_bridge[level], head.convs_pred[level]]
    parameters = [parameter for part in parts for parameter in part.parameters()]
    described = _described(parameters)
    described["bias"] = [float(conv.bias.detach().abs().max()) for conv in head.convs_pred]
    plant(parameters)
    size = given["size"]
    maps = [
        wave(1, channels, size // stride, size // stride, start=stride)
        for channels, stride in zip(given["channels"], STRIDES, strict=True)
    ]
    with torch.no_grad():
        outputs = model.eval().bbox_head(model.neck(tuple(maps)))[0]
    described["shapes_of_outputs"] = [list(one.shape) for one in outputs]
    described["outputs"] = [one.mean(dim=(0, 2, 3)) for one in outputs]
    return described


def frozen(protocol: Protocol, given: Values) -> Values:
    """Say which share of a backbone is trained, and whose statistics move in one pass of training mode.

    If it is frozen in the first steps, this is said of the time after, and also from which step on, and from
    which one on in training mode, where each epoch has ``steps_per_epoch``.
    """
    encoder = _Encoder()
    strides = tuple(protocol.head.get("strides", STRIDES))
    config = dict(type="EncoderBackbone", encoder=encoder, strides=strides, frozen=protocol.frozen)
    model = build(protocol, MapReader(encoder, strides).channels, config)
    model.train()
    backbone = model.backbone._hidden[0] if model.backbone.outside else model.backbone.encoder
    layers: list[Any] = [layer for layer in backbone.modules() if isinstance(layer, _BatchNorm)]
    # an encoder outside the model has no parameter that the optimiser sees
    trained = [p.requires_grad and not model.backbone.outside for p in backbone.parameters()]
    before = [layer.running_mean.clone() for layer in layers]
    model.backbone(wave(2, 3, given["size"], given["size"]))
    moved = [not torch.equal(old, layer.running_mean) for old, layer in zip(before, layers, strict=True)]
    rest = [p.requires_grad for name, p in model.named_parameters() if not name.startswith("backbone")]
    found: Values = {}
    if protocol.optimizer.get("frozen_steps"):
        run = toy_run(
            replace(protocol, batch_size=1), images=given["steps_per_epoch"], epochs=given["epochs"]
        )
        for name, flags in (("trained", run.trained), ("training_mode", run.in_training_mode)):
            first = flags.index(True)
            found[f"{name}_from"] = first if all(flags[first:]) else -1
    return {
        **found,
        "trained": sum(trained) / len(trained),
        "statistics_move": sum(moved) / len(moved),
        "momentum": layers[0].momentum,
        "decoder_trained": sum(rest) / len(rest),
    }


def build(protocol: Protocol, channels: tuple[int, ...], backbone: dict[str, Any] = MAPS) -> Any:
    """Build the model of a protocol with its initial weights, as the runner does."""
    torch.manual_seed(0)
    model: Any
    with quiet():
        if protocol.task == "segmentation":
            model = build_segmentor(backbone, channels, protocol)
        else:
            model = build_detector(backbone, channels, 1, protocol.transform["input"]["size"], protocol)
        model.init_weights()
    return model


def _described(parameters: list[nn.Parameter]) -> Values:
    kernels = [parameter.detach() for parameter in parameters if parameter.ndim == 4]
    return {
        "parameters": sum(parameter.numel() for parameter in parameters),
        "shapes": [list(kernel.shape) for kernel in kernels],
        "std": [float(kernel.std()) for kernel in kernels],
        "largest": [float(kernel.abs().max()) for kernel in kernels],
    }
