"""Map the tensors of a plain image encoder's checkpoint to those of ImageEncoder.

A checkpoint fits if its names without a common prefix are those of the timm model. Any prefix is found
automatically (``module.``, ``encoder_q.``, ``backbone.``…). For libraries with other names than timm's, see
:mod:`prior_bench.checkpoints.timm_names`; for models that nobody names, see
:mod:`prior_bench.checkpoints.architectures`; for the released checkpoints of methods, see
:mod:`prior_bench.checkpoints.layouts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from prior_bench.checkpoints.files import sha256
from prior_bench.checkpoints.folders import weights_file
from prior_bench.checkpoints.timm_names import Naming, naming_of, read_for_timm
from prior_bench.checkpoints.values import require_finite, require_numbers
from prior_bench.errors import BenchError

MINIMUM_SHARE = 0.9
"""Smallest share of the model's tensors that a checkpoint must supply."""

CLASSIFIER = r"(^|\.)(fc|head|classifier|heads\.head)\.(weight|bias)$"
"""Pattern for the names of classifiers, which are never loaded."""

LESS_LIKELY = ("encoder_k", "momentum", "teacher", "ema", "text")
"""Words in prefixes that come last among equal matches: they do not mark the trained image encoder."""


@dataclass(frozen=True)
class Recognition:
    """The mapping of a checkpoint to a model.

    Attributes:
        layout: library whose names the checkpoint has.
        prefix: prefix of the model's own names in the checkpoint.
        mapping: name in the checkpoint, by the model's name, if shapes agree (or the input layer can be
            adapted).
        missing: model's names that are not in the checkpoint.
        misshapen: model's names whose shapes differ, with both shapes.
        unused: checkpoint's names without a counterpart (classifiers, other encoders).
        deeper: unused names that belong to a larger model of the same family.
    """

    layout: str
    prefix: str
    mapping: dict[str, str]
    missing: tuple[str, ...]
    misshapen: tuple[str, ...]
    unused: tuple[str, ...]
    deeper: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The matched share of the model's tensors, in [0, 1]."""
        return len(self.mapping) / max(1, len(self.mapping) + len(self.missing) + len(self.misshapen))

    @property
    def is_refused(self) -> bool:
        """Whether the matched share is too small, or the checkpoint belongs to a larger model."""
        return self.share < MINIMUM_SHARE or bool(self.deeper)

    @property
    def problems(self) -> tuple[str, ...]:
        """One problem per tensor that does not fit, with its name."""
        wrong = [f"missing {name}" for name in self.missing]
        wrong += [f"misshapen {shapes}" for shapes in self.misshapen]
        return tuple(wrong + [f"without counterpart {name}" for name in self.deeper])


def recognise(tensors: dict[str, Tensor], model: nn.Module) -> Recognition:
    """Find the best mapping of a checkpoint's tensors to a timm model."""
    naming = naming_of(set(tensors))
    names = {naming.renamed(name): name for name in tensors}
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    candidates = [_match(naming, names, tensors, state, prefix) for prefix in _prefixes(names, state)]
    return max(candidates, key=lambda match: len(match.mapping))  # the first among equals


def require_fit(tensors: dict[str, Tensor], encoder: Any, path: str | Path) -> Recognition:
    """Map a checkpoint's tensors to an ImageEncoder's model; no values are read.

    Raises:
        BenchError: too few tensors fit; the message names them.
    """
    found = recognise(tensors, encoder.model)
    if found.is_refused:
        raise refusal(found, encoder.arguments["model_name"], path)
    return found


def load_image_weights(encoder: Any, path: str | Path) -> dict[str, Any]:
    """Load a checkpoint of any library into an ImageEncoder's model.

    For a greyscale encoder, a colour input layer is summed over colours. For a colour encoder, a greyscale
    input layer is repeated and divided by three.

    Args:
        encoder: an :class:`prior_bench.encoders.image.ImageEncoder`.
        path: weights file or folder.

    Returns:
        The recognised mapping, for the record: layout, prefix, share, missing, misshapen, unused, sha256.

    Raises:
        BenchError: the file cannot be read, or too few tensors fit; the message names them.
    """
    tensors = read_for_timm(path)
    found = require_fit(tensors, encoder, path)
    target = encoder.model.state_dict()
    require_numbers({name: tensors[source] for name, source in found.mapping.items()}, target, path)
    state = {name: _adapted(tensors[source], target[name].shape) for name, source in found.mapping.items()}
    require_finite(state, path)
    encoder.model.load_state_dict(state, strict=False)
    return {
        "layout": found.layout,
        "prefix": found.prefix,
        "share": round(found.share, 4),
        "missing": list(found.missing),
        "misshapen": list(found.misshapen),
        "unused": list(found.unused),
        "sha256": sha256(weights_file(path)),
    }


def _prefixes(names: dict[str, str], state: dict[str, Tensor]) -> list[str]:
    """Return the prefixes of the model's own names; likely and short prefixes come first."""
    anchors = [name for name in state if state[name].ndim > 1][:1] + list(state)[-1:]
    found = {""}
    for anchor in anchors:
        found |= {name[: -len(anchor)] for name in names if name.endswith(f".{anchor}") or name == anchor}
    return sorted(found, key=lambda p: (any(word in p for word in LESS_LIKELY), len(p), p))


def _match(
    naming: Naming, names: dict[str, str], tensors: dict[str, Tensor], state: dict[str, Tensor], prefix: str
) -> Recognition:
    mapping, missing, misshapen = {}, [], []
    for name, wanted in state.items():
        source = names.get(prefix + name)
        if source is None:
            missing.append(name)
        elif tensors[source].shape == wanted.shape or _is_input_layer(tensors[source].shape, wanted.shape):
            mapping[name] = source
        else:
            misshapen.append(f"{name} {list(tensors[source].shape)} instead of {list(wanted.shape)}")
    used = set(mapping.values())
    unused = tuple(n for n in tensors if n not in used and not n.endswith("num_batches_tracked"))
    parts = {name.split(".")[0] for name in state}
    deeper = tuple(
        original
        for name, original in names.items()
        if original in unused
        and name.startswith(prefix)
        and name.removeprefix(prefix).split(".")[0] in parts
        and not re.search(CLASSIFIER, name)
    )
    return Recognition(naming.name, prefix, mapping, tuple(missing), tuple(misshapen), unused, deeper)


def _is_input_layer(given: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    same = len(given) == len(wanted) == 4 and given[0] == wanted[0] and given[2:] == wanted[2:]
    return same and {given[1], wanted[1]} == {1, 3}


def _adapted(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    if tensor.shape == shape:
        return tensor
    return tensor.sum(1, keepdim=True) if shape[1] == 1 else tensor.repeat(1, 3, 1, 1) / 3


def refusal(found: Recognition, model: str, path: str | Path, guessed: bool = False) -> BenchError:
    """Return the error for a checkpoint that does not fit a model, with the tensors that differ."""
    wrong = found.problems
    shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    what = f"is of another architecture: it supplies {found.share:.0%} of the tensors of {model}"
    nearest = " (the nearest known)" if guessed else ""
    fix = "name its architecture, a timm model: --image-encoder NAME (in a suite: image_encoder='NAME')"
    if Path(path).is_dir() and not (Path(path) / "config.json").is_file():
        fix = (
            f"its config.json is missing, which says what to build: download the whole folder again; or {fix}"
        )
    return BenchError(f"{what}{nearest}, {MINIMUM_SHARE:.0%} are needed: {shown}", where=path, fix=fix)
