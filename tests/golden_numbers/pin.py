"""Pin the golden numbers of today: ``python tests/golden_numbers/pin.py [KIND ...]``, or ``make golden``.

It pins cases that are new and those behind which a version was raised, and leaves all others as they are.
Where numbers changed and no version did, nothing is pinned for that case and the exit status is 1. If you
rewrote the case itself (other inputs, same code under test), delete its entry in ``pinned/`` first.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "helpers")]

import declared_parts  # noqa: E402
import pins  # noqa: E402
from golden_registry import KINDS  # noqa: E402


def pin(kind: str) -> list[str]:
    """Pin the cases of one kind; the problems that stand in the way."""
    before, after, problems = pins.read(kind), {}, []
    for case in KINDS[kind]:
        old, found = before.get(case.name), case.run()
        if old is not None and not pins.changed_versions(case, old):
            after[case.name] = old
            if problem := pins.changed_numbers(case, old, found):
                problems.append(problem)
            continue
        after[case.name] = {
            "versions": declared_parts.versions(case.parts),
            "numbers": pins.plain(found),
        }
        print(f"pinned {kind}: {case.name}")
    for name in before.keys() - after.keys():
        print(f"left out {kind}: {name}, which is no case any more")
    pins.write(kind, after)
    return problems


if __name__ == "__main__":
    unknown = [kind for kind in sys.argv[1:] if kind not in KINDS]
    if unknown:
        raise SystemExit(f"no such kind: {', '.join(unknown)}; known: {', '.join(KINDS)}")
    found = [problem for kind in sys.argv[1:] or KINDS for problem in pin(kind)]
    print("\n\n".join(found), end="\n" if found else "")
    raise SystemExit(bool(found))
