"""Every method: its losses over some optimiser steps, its features and its similarities."""

from functools import partial
from pathlib import Path
from typing import Any

import tiny_methods
import torch
from golden_case import TRAINED, Case, Numbers, summary
from tiny_prior import tiny_prior

from prior_bench.api import Method, PretrainBatch

STEPS = 4
PARTS = ("image_encoder", "text_encoder", "tokenizer", "losses")
RELEASED = dict(image_hidden=12, text_hidden=10, batch_norm=True, upsample=80)
SMALL = dict(layers=2, feedforward=24)
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "benchx_released, heads of ConVIRT": ("benchx_released", {}),
    "benchx_released, heads of M-FLAG": ("benchx_released", dict(heads="batch_norm", pooler=False)),
    "benchx_released, heads of REFERS": ("benchx_released", dict(heads="copies")),
    "biovil_released": ("biovil_released", {}),
    "biovil_released, BioViL-T": ("biovil_released", dict(static_dim=6)),
    "carzero_released": ("carzero_released", SMALL),
    "convirt": ("convirt", {}),
    "convirt_released": ("convirt_released", RELEASED),
    "cxr_clip_released": ("cxr_clip_released", {}),
    "gloria": ("gloria", {}),
    "kad_released": ("kad_released", SMALL),
    "mavl_released": ("mavl_released", SMALL),
    "medclip_released": ("medclip_released", {}),
    "medklip_released": ("medklip_released", SMALL),
    "mgca of a CNN": ("mgca", dict(prototypes=6)),
    "mgca of a ViT": ("mgca", dict(image=tiny_methods.VIT, prototypes=6)),
}


def trained(method: Method, batch: PretrainBatch) -> Numbers:
    """Each loss by name, at each step; then what the method says of the batch."""
    torch.manual_seed(2)
    method.train()
    optimizer = torch.optim.SGD(method.parameters(), lr=3e-3)
    losses: dict[str, list[float]] = {}
    for _ in range(STEPS):
        named = method.loss(batch)
        for name, value in named.items():
            losses.setdefault(name, []).append(float(value.detach()))
        optimizer.zero_grad()
        sum(value for name, value in named.items() if name.startswith("loss")).backward()
        # short steps: batch norm over four images would amplify the rounding of another CPU
        torch.nn.utils.clip_grad_norm_(method.parameters(), 1.0)
        optimizer.step()
    return {"losses": losses}


def seen(method: Method, batch: PretrainBatch) -> Numbers:
    """Before training: features in the joint space and similarities."""
    method.eval()
    with torch.no_grad():
        image, text = method.encode_image(batch.images), method.encode_text(batch.text)
        return {
            "image": summary(image.global_),
            "text": summary(text.global_),
            "similarity": summary(method.similarity(image, text), 16),
        }


def built(name: str) -> Method:
    kind, arguments = METHODS[name]
    return tiny_methods.build(kind, **arguments)


def prior_batch(method: Method) -> PretrainBatch:
    images = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    reports = [("The heart is large.", "No effusion."), ("No pneumothorax.",), ("No effusion.",)]
    return PretrainBatch(images, method.text_encoder.tokenizer(reports))


def losses_of(name: str, folder: Path) -> Numbers:
    return trained(built(name), tiny_methods.batch())


def features_of(name: str, folder: Path) -> Numbers:
    return seen(built(name), tiny_methods.batch())


def prior_losses(stage: int, folder: Path) -> Numbers:
    method = tiny_prior(stage=stage)
    return trained(method, prior_batch(method))


def prior_features(folder: Path) -> Numbers:
    method = tiny_prior()
    return seen(method, prior_batch(method))


CASES = [
    *(
        Case(f"{what} of {name}", (f"method {kind}", *PARTS), partial(run, name), rtol=tolerance)
        for name, (kind, _) in METHODS.items()
        for what, run, tolerance in (("losses", losses_of, TRAINED), ("features", features_of, 1e-3))
    ),
    *(
        Case(
            f"losses of prior, stage {stage}", ("method prior", *PARTS), partial(prior_losses, stage), TRAINED
        )
        for stage in (1, 2, 3)
    ),
    Case("features of prior", ("method prior", *PARTS), prior_features, rtol=1e-3),
]
