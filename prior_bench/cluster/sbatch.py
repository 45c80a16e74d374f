"""Give jobs to Slurm, through submitit: single ones, and arrays of those that ask for the same."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prior_bench.cluster.command import JobCommand
from prior_bench.cluster.queue import require, said
from prior_bench.cluster.settings import parameters
from prior_bench.errors import BenchError
from prior_bench.schema.cluster import ClusterFile
from prior_bench.schema.cluster_jobs import Kind

COMMENT = "prior-bench "
"""Beginning of the comment of our jobs; the token of their submission follows."""
ROOTS = ("PRIOR_BENCH_DATA", "PRIOR_BENCH_RESULTS", "PRIOR_BENCH_CACHE")
JOB = "PRIOR_BENCH_JOB"
"""Variable that names the job that this process was submitted for."""
INSTEAD = "run it where jobs are submitted; --dry-run and prior-bench run SUITE need no Slurm"
NAMELESS = re.compile(r"[^A-Za-z0-9._-]+")
"""What a job's name does not hold."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
"""What the path of a job's folder does not hold: quotes hold no line of a comment together."""


def require_slurm() -> None:
    """Check that jobs can be submitted from here.

    Raises:
        BenchError: Slurm's programs or submitit are missing.
    """
    for program in ("sbatch", "srun", "squeue"):
        require(program, INSTEAD)
    try:
        import submitit  # noqa: F401 - it is used below
    except ImportError as error:
        fix = "pip install 'prior-bench[slurm]'"
        raise BenchError("submitit is not installed", where="submit", fix=fix) from error


def submit(
    files: Sequence[Path],
    kind: Kind,
    name: str,
    token: str,
    cluster: ClusterFile,
    folder: Path,
    *,
    shape: tuple[int, int] | None = None,
    after: Sequence[str] = (),
) -> list[str]:
    """Submit jobs that ask for the same, as an array if there are several; return Slurm's numbers.

    Args:
        files: a file per job.
        kind, shape: see :func:`prior_bench.cluster.settings.parameters`.
        name: in Slurm's lists.
        token: for their comment.
        cluster: what they ask for.
        folder: submitit's.
        after: numbers of jobs that must have ended, and, but for a table, without error.

    Raises:
        BenchError: Slurm refuses them, or the folder's path would be lines of the job's script.
    """
    if CONTROLS.search(str(folder)):
        what = "a line break or a control character in this path would be a part of the job's script"
        raise BenchError(what, where=folder, fix="rename the folder, or set PRIOR_BENCH_RESULTS")
    from submitit import SlurmExecutor
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    asked: dict[str, Any] = {
        **parameters(cluster, kind, shape),
        "job_name": NAMELESS.sub("-", name)[:60],
        "comment": f"{COMMENT}{token}",
        "wckey": None,
        "array_parallelism": cluster.at_once,
        "stderr_to_stdout": True,
        "srun_args": ["-K1"],
        "additional_parameters": {"requeue": True, "kill-on-invalid-dep": "yes", **cluster.options},
    }
    if after:
        asked["dependency"] = f"{'afterany' if kind == 'table' else 'afterok'}:{':'.join(after)}"
    printed = io.StringIO()
    try:
        executor = SlurmExecutor(folder, max_num_timeout=cluster.requeues, python=_python(cluster))
        executor.update_parameters(**asked)
        commands = [_command(file, cluster) for file in files]
        with contextlib.redirect_stderr(printed):  # submitit prints what the error says, too
            if len(commands) == 1:
                jobs = [executor.submit(commands[0])]
            else:
                with executor.batch():
                    jobs = [executor.submit(command) for command in commands]
    except (FailedJobError, FailedSubmissionError) as error:
        raise BenchError(
            said(str(error)), where="sbatch", fix="change the cluster file, or ask who runs it"
        ) from error
    return [job.job_id for job in jobs]


def _command(file: Path, cluster: ClusterFile) -> JobCommand:
    roots = {name: os.path.abspath(os.environ[name]) for name in ROOTS if os.environ.get(name)}
    argv = [*shlex.split(_python(cluster)), "-m", "prior_bench", "job", str(file)]
    return JobCommand(argv, os.getcwd(), {**roots, JOB: file.name}, cluster.requeues)


def _python(cluster: ClusterFile) -> str:
    """Return the command of Python in a job, which does not search the working folder for modules."""
    return f"{cluster.python or shlex.quote(sys.executable)} -P"
