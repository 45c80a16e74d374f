"""Whether a backbone can take images of the size to which a protocol changes its input."""

from __future__ import annotations

from prior_bench.api import BackboneSource, Protocol


def wrong_size(source: BackboneSource, protocol: Protocol) -> str:
    """Return why a source cannot take the protocol's input size; empty if it can, or does not say."""
    size = (protocol.transform.get("input") or {}).get("size")
    size_problem = getattr(source, "size_problem", None)
    return size_problem(size) if size and size_problem is not None else ""
