"""Peak memory of this process during a piece of work, as counted by the system and the GPU."""

from __future__ import annotations

import re
import sys
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Linux's; elsewhere the peak of one piece of work cannot be told from that of the whole process."""


def restart(device: str = "cpu") -> None:
    """Reset the peak."""
    try:
        RESET.write_text("5")  # see proc(5)
    except OSError:
        pass
    if device.startswith("cuda") and (torch := sys.modules.get("torch")):
        torch.cuda.reset_peak_memory_stats(torch.device(device))


def peak(device: str = "cpu") -> dict[str, float]:
    """GiB held at most since :func:`restart`: ``memory`` of this process, without data loading processes, and
    ``gpu``; those that are known."""
    found = {}
    try:
        if RESET.exists() and (line := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
            found["memory"] = round(int(line.group(1)) / 2**20, 3)
    except OSError:
        pass
    if device.startswith("cuda") and (torch := sys.modules.get("torch")):
        found["gpu"] = round(torch.cuda.max_memory_allocated(torch.device(device)) / 2**30, 3)
    return found
