"""Run a job: ``python -m benchmarks.official.run JOB.json``. Each side has a process of its own."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.official.comparisons import COMPARISONS
from benchmarks.official.job import Job


def main(path: Path) -> None:
    """Run the job of a file with each kind of weights, and write the values of each at once."""
    import torch

    torch.set_num_threads(1)
    job = Job.read(path)
    run = getattr(COMPARISONS[job.comparison], job.side)
    for kind in job.kinds:
        part = replace(job, weights=job.weights / kind, folder=job.folder / kind)
        part.folder.mkdir(parents=True, exist_ok=True)
        values = [float(value) for value in run(part)]
        job.values_file(kind).write_text(json.dumps(values))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
