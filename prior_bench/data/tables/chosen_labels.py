"""Which of a data set's labels are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prior_bench.errors import unknown_name


def chosen_labels(
    choice: str | Sequence[str], known: Iterable[str], kind: str, where: object = None
) -> tuple[str, ...]:
    """Label names from one name or a list of them.

    Args:
        choice: a reader's option ``labels``.
        known: names that there are.
        kind: what they are called in the message, e.g. ``"finding of VinDr-CXR"``.
        where: for the message.

    Raises:
        BenchError: no such label, with the nearest names.
    """
    names, known = (choice,) if isinstance(choice, str) else tuple(choice), list(known)
    for name in names:
        if name not in known:
            raise unknown_name(kind, str(name), known, where=where)
    return names
