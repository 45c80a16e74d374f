"""Checks of a method's contract (see :class:`prior_bench.api.Method`).

Each check takes a :class:`Subject`, raises :class:`Broken` if the contract is broken, and otherwise returns a
short finding for display.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from prior_bench.api import Features, Method, PretrainBatch, TextBatch
from prior_bench.checkpoints.native import load_method, save_method
from prior_bench.scaffold.subject import Subject, encode, losses, total

STEPS = 8
RANDOM = "not checked: the method declares random_evaluation"


class Broken(AssertionError):
    """A violation of the contract."""


def demand(holds: bool, why: str) -> None:
    """Raise Broken with the reason ``why`` if a condition does not hold."""
    if not holds:
        raise Broken(why)


def losses_are_finite_scalars(subject: Subject) -> str:
    """Check that the name of at least one value starts with ``loss``, and that all are finite scalars."""
    values = losses(subject.method(training=True), subject.batch)
    named = [name for name in values if name.startswith("loss")]
    demand(bool(named), f"no name starts with 'loss': {', '.join(values) or 'nothing'}")
    for name, value in values.items():
        demand(isinstance(value, Tensor), f"{name} is a {type(value).__name__}, not a tensor")
        demand(value.dim() == 0, f"{name} has shape {list(value.shape)}; must be a scalar")
        demand(bool(value.isfinite()), f"{name} is {value.item()}")
    return f"{', '.join(named)}; sum {total(values).item():.3f}"


def gradients_reach_both_encoders(subject: Subject) -> str:
    """Check that the loss has finite gradients for both encoders."""
    method = _after_backward(subject)
    notes = []
    for name in ("image_encoder", "text_encoder"):
        parameters = list(getattr(method, name).parameters())
        gradients = [p.grad for p in parameters if p.grad is not None]
        demand(all(g.isfinite().all() for g in gradients), f"a gradient of the {name} is not finite")
        moved = sum(bool(g.abs().sum() > 0) for g in gradients)
        demand(moved > 0, f"no gradient reaches the {name}")
        notes.append(f"{name} {moved} of {len(parameters)} parameters")
    return ", ".join(notes)


def unused_parameters_are_listed(subject: Subject) -> str:
    """List the parameters without gradient, which matter for training in several processes."""
    method = _after_backward(subject)
    idle = [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None]
    if not idle:
        return "none"
    counts = Counter(".".join(name.split(".")[:2]) for name in idle)
    need = "" if subject.config.find_unused_parameters else "; on several GPUs set find_unused_parameters"
    return f"{len(idle)} unused: {', '.join(f'{name} ({n})' for name, n in counts.items())}{need}"


def image_features_have_shape(subject: Subject) -> str:
    """Check that ``global_`` is [B, D], and that ``local``, if present, is [B, N, D']."""
    return _features(encode(subject.method(), subject.images, subject.text)[0], len(subject.images))


def text_features_have_shape(subject: Subject) -> str:
    """Check the shapes of text features; a ``mask`` must be bool [B, N]."""
    return _features(encode(subject.method(), subject.images, subject.text)[1], len(subject.text.input_ids))


def similarity_is_images_by_texts(subject: Subject) -> str:
    """Check that the similarity is finite and [images, texts], with different numbers of both."""
    images = subject.images[:3]
    found = encode(subject.method(), images, subject.text)[2]
    want = [len(images), len(subject.text.input_ids)]
    demand(list(found.shape) == want, f"has shape {list(found.shape)}; must be {want}")
    demand(bool(found.isfinite().all()), "is not finite")
    return f"{want}, {float(found.min()):.3f} to {float(found.max()):.3f}"


def padding_changes_nothing(subject: Subject) -> str:
    """Check that more padding does not change features, similarity and loss."""
    method, padded = subject.method(), subject.padded
    (_, text, scores), (_, again, more) = (encode(method, subject.images, t) for t in (subject.text, padded))
    _same(again.global_, text.global_, "global text features")
    _same(more, scores, "similarity")
    with torch.no_grad():
        before, after = (
            total(losses(method, subject.batch._replace(text=t))) for t in (subject.text, padded)
        )
    _same(after, before, "loss in evaluation mode")
    return f"{padded.input_ids.shape[1] - subject.text.input_ids.shape[1]} columns added"


def a_row_does_not_depend_on_the_others(subject: Subject) -> str:
    """Check that an image or text has the same features alone and in a batch."""
    method = subject.method()
    if subject.random_evaluation:
        return RANDOM
    image, text, _ = encode(method, subject.images, subject.text)
    for row, report in enumerate(_reports(subject)):
        alone = encode(method, subject.images[row : row + 1], report)
        _same(alone[0].global_[0], image.global_[row], f"global features of image {row} alone")
        _same(alone[1].global_[0], text.global_[row], f"global features of text {row} alone")
    return f"{len(image.global_)} images and texts"


def order_permutes_results(subject: Subject) -> str:
    """Check that another order of the pairs permutes features and similarities and keeps the loss."""
    if subject.random_evaluation:
        return RANDOM
    method, order = subject.method(), torch.arange(len(subject.images)).flip(0)
    moved = TextBatch(*(values[order] for values in subject.text))
    image, text, scores = encode(method, subject.images, subject.text)
    other_image, other_text, other_scores = encode(method, subject.images[order], moved)
    _same(other_image.global_, image.global_[order], "global image features")
    _same(other_text.global_, text.global_[order], "global text features")
    _same(other_scores, scores[order][:, order], "similarity")
    with torch.no_grad():
        before = total(losses(method, subject.batch))
        after = total(losses(method, PretrainBatch(subject.images[order], moved)))
    _same(after, before, "loss in evaluation mode")
    return "reversed"


def evaluation_is_deterministic(subject: Subject) -> str:
    """Check that two evaluations with different random states are equal."""
    if subject.random_evaluation:
        return RANDOM
    method = subject.method()
    with torch.no_grad():
        runs = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            image, text = method.encode_image(subject.images), method.encode_text(subject.text)
            runs.append((image.global_, text.global_, method.similarity(image, text)))
    for name, one, two in zip(("image features", "text features", "similarity"), *runs, strict=True):
        demand(
            torch.equal(one, two), f"{name} differ; if by design, set random_evaluation = True in the class"
        )
    return "two runs are equal"


def checkpoint_gives_the_same_numbers(subject: Subject) -> str:
    """Check that saving and loading a checkpoint keeps features and similarity exactly."""
    method = subject.method()
    with tempfile.TemporaryDirectory() as folder:
        path = save_method(Path(folder) / "model.safetensors", method, subject.config.method, {})
        loaded, _ = load_method(path)
        size = path.stat().st_size
    results = [encode(m, subject.images, subject.text) for m in (method, loaded)]
    for name, one, two in zip(("image features", "text features", "similarity"), *results, strict=True):
        one, two = (x.global_ if isinstance(x, Features) else x for x in (one, two))
        demand(torch.equal(one, two), f"{name} differ after loading: is a tensor missing in the state dict?")
    return f"{size / 1e6:.1f} MB"


def loss_falls_on_a_fixed_batch(subject: Subject) -> str:
    """Check that a few steps on one batch reduce its loss."""
    method = subject.method(training=True)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
    seen = []
    for _ in range(STEPS):
        loss = total(losses(method, subject.batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    demand(seen[-1] < seen[0], f"{seen[0]:.4f} at first, {seen[-1]:.4f} after {STEPS} steps")
    return f"{seen[0]:.3f} to {seen[-1]:.3f} in {STEPS} steps"


CHECKS = (
    losses_are_finite_scalars,
    gradients_reach_both_encoders,
    unused_parameters_are_listed,
    image_features_have_shape,
    text_features_have_shape,
    similarity_is_images_by_texts,
    padding_changes_nothing,
    a_row_does_not_depend_on_the_others,
    order_permutes_results,
    evaluation_is_deterministic,
    checkpoint_gives_the_same_numbers,
    loss_falls_on_a_fixed_batch,
)


def _after_backward(subject: Subject) -> Method:
    method = subject.method(training=True)
    total(losses(method, subject.batch)).backward()
    return method


def _features(features: Features, rows: int) -> str:
    demand(
        isinstance(features, Features), f"is a {type(features).__name__}; must be prior_bench.api.Features"
    )
    whole, local, mask = features
    demand(whole.dim() == 2 and len(whole) == rows, f"global_ is {list(whole.shape)}; must be [{rows}, D]")
    demand(bool(whole.isfinite().all()), "global_ is not finite")
    if local is None:
        return f"global {list(whole.shape)}, no local"
    demand(local.dim() == 3 and len(local) == rows, f"local is {list(local.shape)}; must be [{rows}, N, D]")
    if mask is not None:
        demand(mask.dtype == torch.bool, f"mask is {mask.dtype}; must be bool")
        demand(mask.shape == local.shape[:2], f"mask is {list(mask.shape)} for local {list(local.shape)}")
    return f"global {list(whole.shape)}, local {list(local.shape)}"


def _reports(subject: Subject) -> list[TextBatch]:
    """Return each text as a batch of its own, without padding."""
    lengths = subject.text.attention_mask.sum(1).tolist()
    return [TextBatch(*(v[row : row + 1, :n] for v in subject.text)) for row, n in enumerate(lengths)]


def _same(found: Tensor, want: Tensor, what: str) -> None:
    demand(found.shape == want.shape, f"{what}: shape {list(found.shape)} became {list(want.shape)}")
    off = float((found - want).abs().max())
    scale = max(float(want.abs().max()), 1.0)
    demand(off <= 1e-4 * scale, f"{what} changed by {off:.2g} (largest value {scale:.3g})")
