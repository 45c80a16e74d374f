"""The input of image encoders in files: what a file or its layout states, and what the user must add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from prior_bench.api import InputSpec
from prior_bench.errors import BenchError, unknown_name

STATISTICS = ("mean", "std")
GEOMETRY = ("size", "resize", "resize_to", "interpolation", "rounding")
IMAGENET = {1: "mean=0.449,std=0.226", 3: "mean=(0.485,0.456,0.406),std=(0.229,0.224,0.225)"}
"""ImageNet's statistics by the number of channels, of the weights that most image encoders start from."""


def check_input(given: Mapping[str, Any]) -> None:
    """Raise BenchError if InputSpec has no such field."""
    known = [field.name for field in fields(InputSpec)]
    for name in given:
        if name not in known:
            raise unknown_name("field", name, known, where="input")


def lacks_statistics(stated: Mapping[str, Any]) -> bool:
    """Whether neither the file nor the user states mean and standard deviation of the pixels."""
    return not set(STATISTICS) <= {name for name, value in stated.items() if value is not None}


def require_statistics(
    stated: Mapping[str, Any],
    channels: int,
    where: str | Path,
    released: tuple[str, Mapping[str, Any]] | None = None,
    file: Path | None = None,
) -> None:
    """Check that the statistics of the input are known, because no default is right for a file of weights.

    Args:
        stated: fields of InputSpec from the file, its layout and the user.
        channels: number of channels of the input.
        where: the file.
        released: name and input of the layout of a released file whose image encoder the user names.
        file: its weights. A spoiled file is refused by its tensors: no statement makes it usable.

    Raises:
        BenchError: they are not; the message gives the two flags that settle it.
    """
    if not lacks_statistics(stated):
        return
    if file is not None:
        from prior_bench.checkpoints.files import read_tensors
        from prior_bench.checkpoints.values import require_finite

        require_finite(read_tensors(file), where)
    example = f"'{IMAGENET[channels]}' (these are ImageNet's; one number for all channels, or one for each)"
    if released is not None and not lacks_statistics(released[1]):
        known = {
            name: released[1][name] for name in (*STATISTICS, *GEOMETRY) if released[1].get(name) is not None
        }
        example = ",".join(f"{name}={_written(value)}" for name, value in known.items())
        example = f"'{example}' (these are {released[0]}'s)"
    raise BenchError(
        "does not state the mean and the standard deviation of its input, and a wrong guess gives wrong "
        "features",
        where=where,
        fix=f"give those of its training: --input {example}; in a suite's row: input=dict(mean=…, std=…)",
    )


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    numbers = [value] if isinstance(value, int | float) else list(value)
    text = ",".join(str(number) for number in numbers)
    return text if len(numbers) == 1 else f"({text})"
