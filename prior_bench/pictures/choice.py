"""Choose samples for display if there are too many."""

from collections.abc import Sequence


def spread(items: Sequence, count: int) -> list:
    """Return ``count`` items, evenly spaced from the first to the last."""
    if len(items) <= count or count < 2:
        return list(items[:count])
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]
