"""One job of a comparison: one side, all weights, all seeds; as a file between two processes."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """What a side runs.

    Attributes:
        comparison: its name in :data:`benchmarks.official.comparisons.COMPARISONS`.
        side: ``"official"`` or ``"ours"``.
        data: folder of the data set, under the name that the official code gives it.
        weights: folder of the weights (:mod:`benchmarks.official.weights`).
        folder: folder that the job may write to.
        kinds: kinds of weights, one after the other.
        seeds: one run each.
        sites: folders that the official side imports from before the installed packages.
        checkout: the official repository; unused on our side.
    """

    comparison: str
    side: str
    data: Path
    weights: Path
    folder: Path
    kinds: tuple[str, ...]
    seeds: tuple[int, ...]
    sites: tuple[Path, ...] = ()
    checkout: Path = Path()

    def write(self, path: Path) -> None:
        """Write the job as JSON."""
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, path: Path) -> "Job":
        """Read what :meth:`write` wrote."""
        given = json.loads(path.read_text())
        for name in ("data", "weights", "folder", "checkout"):
            given[name] = Path(given[name])
        given["sites"] = tuple(Path(site) for site in given["sites"])
        for name in ("kinds", "seeds"):
            given[name] = tuple(given[name])
        return cls(**given)

    def values_file(self, kind: str) -> Path:
        """Where the values with a kind of weights are."""
        return self.folder / kind / "values.json"
