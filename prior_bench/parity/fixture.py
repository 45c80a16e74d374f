"""Fixtures: named tensors, and values that another implementation computed from them.

A fixture is a file ``<family>/<name>.safetensors`` next to ``<family>/<name>.json``. Names of tensors begin
with ``in.`` (input), ``w.`` (weight), ``out.`` (float32 result), ``out64.`` (float64 result), or ``grad.``
and ``grad64.`` (gradient of a scalar with respect to the input or weight at the end of the name).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from prior_bench.errors import BenchError
from prior_bench.io.bounded import json_text


@dataclass
class Fixture:
    """A fixture as stored.

    Attributes:
        path: path of the JSON file.
        meta: content of the JSON file (``hyper``, ``counts``, …).
        tensors: tensors by full name.
    """

    path: Path
    meta: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def family(self) -> str:
        """The name of its folder, which is the method."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """The file name without suffix."""
        return self.path.stem

    def references(self, dtype: torch.dtype) -> dict[str, Tensor]:
        """Return the results and gradients stored for a precision, by name without the ``64``."""
        suffix = "64" if dtype == torch.float64 else ""
        starts = {f"out{suffix}.": "out.", f"grad{suffix}.": "grad."}
        return {
            short + name.removeprefix(start): tensor
            for start, short in starts.items()
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }

    def sibling(self, name: str) -> dict[str, Any]:
        """Return the JSON content of another fixture of the family; empty if there is none."""
        path = self.path.with_name(f"{name}.json")
        return json.loads(json_text(path)) if path.is_file() else {}


def load(path: Path) -> Fixture:
    """Read a fixture from its JSON file and the safetensors file next to it.

    Raises:
        BenchError: a file is missing or damaged.
    """
    try:
        return Fixture(path, json.loads(json_text(path)), load_file(path.with_suffix(".safetensors")))
    except Exception as error:  # safetensors has its own error type and does not export it
        raise BenchError(f"not a fixture: {error}", where=path) from error


def discover(folder: Path) -> list[Path]:
    """Return the sorted JSON paths of all fixtures in a folder, including those of which a file is missing.

    Raises:
        BenchError: there are none.
    """
    halves = [*folder.glob("*/*.json"), *folder.glob("*/*.safetensors")]
    found = {path.with_suffix(".json") for path in halves}
    if not found:
        raise BenchError(
            "no fixture here", where=folder, fix="expected <family>/<name>.json and <name>.safetensors"
        )
    return sorted(found)


AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass
class FixtureCase:
    """A fixture in one precision, with differentiable inputs and weights, as a checker uses it.

    Args:
        fixture: the fixture.
        dtype: type to which floating-point inputs and weights are cast.
    """

    fixture: Fixture
    dtype: torch.dtype
    _leaves: dict[str, Tensor] = field(default_factory=dict)

    @property
    def hyper(self) -> dict[str, Any]:
        """The hyper-parameters."""
        return self.fixture.meta.get("hyper", {})

    def __getitem__(self, name: str) -> Tensor:
        """Return an input or weight by full name; floating-point tensors are leaves that record gradients."""
        if name not in self._leaves:
            tensor = self.fixture.tensors[name]
            if tensor.is_floating_point():
                tensor = tensor.to(self.dtype).requires_grad_()
            self._leaves[name] = tensor
        return self._leaves[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor of the fixture."""
        return tuple(self.fixture.tensors[name].shape)

    def load(self, module: AnyModule, prefix: str = "", unused: tuple[str, ...] = ()) -> AnyModule:
        """Load the weights ``w.<prefix><name>`` into a module; ``self[...]`` then returns its parameters.

        Args:
            module: module to load; it is cast to the precision of the case.
            prefix: prefix of the names after ``w.``.
            unused: patterns of names that the module need not have.

        Raises:
            KeyError: the fixture has another weight that the module does not have.
        """
        start = f"w.{prefix}"
        weights = {n.removeprefix(start): t for n, t in self.fixture.tensors.items() if n.startswith(start)}
        module.to(self.dtype)
        unknown = module.load_state_dict(weights, strict=False).unexpected_keys
        unknown = [name for name in unknown if not any(fnmatch(name, pattern) for pattern in unused)]
        if unknown:
            raise KeyError(f"{type(module).__name__} has no {', '.join(unknown)}")
        self._leaves.update({start + n: p for n, p in module.named_parameters() if n in weights})
        return module

    def gradients(self, scalar: Tensor, tag: str = "") -> dict[str, Tensor]:
        """Compute the gradients of a scalar for every stored ``grad.<tag>in.*`` and ``grad.<tag>w.*``.

        A tensor on which the scalar does not depend has gradient 0.
        """
        start = f"grad.{tag}"
        stored = self.fixture.references(self.dtype)
        named = {name: name.removeprefix(start) for name in stored if name.startswith(start)}
        named = {name: leaf for name, leaf in named.items() if leaf.startswith(("in.", "w."))}
        leaves = [self[leaf] for leaf in named.values()]
        if not leaves:
            return {}
        grads = torch.autograd.grad(scalar, leaves, retain_graph=True, allow_unused=True)
        return {
            name: torch.zeros_like(leaf) if grad is None else grad
            for name, leaf, grad in zip(named, leaves, grads, strict=True)
        }
