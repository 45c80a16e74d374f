"""Choose among the labels of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prior_bench.errors import unknown_name


def chosen_labels(
    choice: str | Sequence[str], known: Iterable[str], kind: str, where: object = None
) -> tuple[str, ...]:
    """Return the chosen label names as a tuple.

    Args:
        choice: the reader's option ``labels``, one name or a list of names.
        known: names of all labels.
        kind: description of a label for the message, e.g. ``"finding of VinDr-CXR"``.
        where: file or data set, for the message.

    Raises:
        BenchError: a label is unknown; the message suggests names.
    """
    names, known = (choice,) if isinstance(choice, str) else tuple(choice), list(known)
    for name in names:
        if name not in known:
            raise unknown_name(kind, str(name), known, where=where)
    return names
