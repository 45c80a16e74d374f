"""Checkers of the fixtures of ConVIRT (entry point ``prior_bench.parity``)."""

from __future__ import annotations

from torch import Tensor

from prior_bench.losses.contrastive import info_nce
from prior_bench.parity.checker import Checker
from prior_bench.parity.fixture import FixtureCase


def checkers() -> dict[str, Checker]:
    """Return the checkers by fixture."""
    return {"loss": Checker(loss)}


def loss(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the two cross-entropies and their combinations at each temperature."""
    paper = case.hyper["paper"]
    found: dict[str, Tensor] = {}
    for temperature in case.hyper["temperatures"]:
        to_text, to_image = info_nce(case["in.image"], case["in.text"], temperature)
        combined = {
            "half": (to_text + to_image) / 2,
            "paper": paper["lam"] * to_text + (1 - paper["lam"]) * to_image,
        }
        start = f"T{temperature}."
        found |= {
            f"out.{start}i2t": to_text,
            f"out.{start}t2i": to_image,
            f"out.{start}loss_sum": to_text + to_image,
        }
        for name, value in combined.items():
            found |= {f"out.{start}{name}": value, **case.gradients(value, f"{start}{name}.")}
        if temperature == paper["temperature"]:
            found["out.ntxent"] = combined["paper"]
    return found
