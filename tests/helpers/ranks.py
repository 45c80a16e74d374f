"""Several processes that train together, as a launcher would start them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Ended(NamedTuple):
    """How a process ended: its status, what it printed, and the seconds until all had ended."""

    code: int
    out: str
    err: str
    seconds: float


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def of_torchrun(rank: int, count: int, port: int) -> dict[str, str]:
    """Return the variables that torchrun sets for a process."""
    values = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=count, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    return {name: str(value) for name, value in values.items()}


def start_ranks(
    commands: Sequence[Sequence[str]], folder: Path, own: Sequence[Mapping[str, str]] | None = None
) -> list[subprocess.Popen]:
    """Start ``prior-bench`` once per command, as processes that train together.

    Args:
        commands: arguments of each process.
        folder: working folder.
        own: further environment variables of each process.
    """
    port = free_port()
    common = {**os.environ, "OMP_NUM_THREADS": "1", "PRIOR_BENCH_PROGRESS": ""}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "prior_bench", *command],
            cwd=folder,
            env={**common, **of_torchrun(rank, len(commands), port), **(own[rank] if own else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, command in enumerate(commands)
    ]


def ended(processes: Sequence[subprocess.Popen], limit: float = 240) -> list[Ended]:
    """Wait for processes; those that do not end in time are killed, which is a failure."""
    begun, found = time.monotonic(), []
    try:
        for process in processes:
            out, err = process.communicate(timeout=limit)
            found.append((process.returncode, out, err))
    finally:
        for process in processes:
            process.kill()
    return [Ended(*one, time.monotonic() - begun) for one in found]


def long_run(values: dict, folder: Path) -> str:
    """Write a config that trains until it is stopped, and saves after each step; return its path."""
    values |= dict(batch_size=4, save_every="0s", schedule=dict(epochs=1000))
    path = folder / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    return str(path)


def wait_for_a_state(folder: Path, known: Collection[str] = ()) -> None:
    """Wait until there is a state within an epoch, other than those ``known`` by name."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if any(path.name not in known for path in folder.glob("run/epoch_*_step_*.pth")):
            return
        time.sleep(0.05)
