"""Provenance of results: versions, revision, machine and command, collected without importing torch."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.store.source_hash import code_version

__all__ = ["code_version", "command", "git_state", "hardware", "op_provider", "provenance", "versions"]

PACKAGES = (
    "prior-bench torch torchvision timm transformers tokenizers mmengine mmcv mmcv-lite mmdet mmsegmentation "
    "numpy scipy pandas scikit-learn pillow pydicom pycocotools"
).split()
"""Distributions whose version may affect results."""


def provenance(device: str = "cpu") -> dict[str, Any]:
    """The provenance of this process for a record, as plain types."""
    return {
        "versions": versions(),
        "git": git_state(),
        "hardware": hardware(device),
        "op_provider": op_provider(),
        "command": command(),
    }


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that may affect results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def git_state() -> dict[str, Any]:
    """Revision of the checkout that the package runs from, and whether it is ``dirty``; empty without git."""
    root = paths.PACKAGE.parent
    if not (root / ".git").exists():
        return {}
    try:
        revision = _git(root, "rev-parse", "HEAD")
        return {"revision": revision, "dirty": bool(_git(root, "status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {}


def hardware(device: str = "cpu") -> dict[str, Any]:
    """What the numbers of this process may depend on besides versions, as plain types.

    Returns:
        ``device``, ``cpu`` (the processor), ``cores`` available to this process, ``system``, ``memory_gib``;
        where torch is loaded, ``threads``, ``instructions`` (the vector instructions that torch uses),
        ``blas`` (see :func:`blas`) and whether algorithms are ``deterministic``; and the ``gpu`` if one is
        used.
    """
    found: dict[str, Any] = {
        "device": device,
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        found["memory_gib"] = round(memory / 2**30, 1)
    if torch := sys.modules.get("torch"):
        found["threads"] = torch.get_num_threads()
        found["instructions"] = torch.backends.cpu.get_cpu_capability()
        found["blas"] = blas()
        found["deterministic"] = torch.are_deterministic_algorithms_enabled()
        if device.startswith("cuda"):
            found["gpu"] = torch.cuda.get_device_name(torch.device(device))
    return found


def blas() -> list[str]:
    """The libraries of linear algebra of torch, NumPy and SciPy, with version and kernels.

    Those that other packages bring for themselves (OpenCV) are left out, so that the list does not depend on
    what has been imported before.
    """
    import scipy.linalg  # noqa: F401 - loads its library
    import torch
    from threadpoolctl import threadpool_info

    linked = torch.__config__.show()
    found = {f"mkl {number}" for number in re.findall(r"Math Kernel Library Version (\S+?)-", linked)}
    found |= {f"onednn {number}" for number in re.findall(r"MKL-DNN v(\S+)", linked)}
    for library in threadpool_info():
        place = library["filepath"]
        of_others = "-packages" in place and not re.search(r"-packages/(numpy|scipy)", place)
        if library["user_api"] == "blas" and library["internal_api"] != "mkl" and not of_others:
            parts = (library["internal_api"], library["version"], library.get("architecture"))
            found.add(" ".join(str(part) for part in parts if part))
    return sorted(found)


def op_provider() -> str:
    """The provider of mmcv's compiled operators in this process: our stand-in, mmcv, or none so far."""
    module = sys.modules.get("mmcv._ext")
    if module is None:
        return "not used"
    file = getattr(module, "__file__", None) or ""
    return "torchvision stand-in" if file.endswith(".py") else f"mmcv ({Path(file).name})"


def command() -> str:
    """The command line of this process, quoted for a shell."""
    program, *rest = sys.argv
    name = Path(program).name
    if name == "__main__.py":
        name = f"python -m {Path(program).parent.name}"
    return " ".join([name, *map(shlex.quote, rest)])


def _git(root: Path, *arguments: str) -> str:
    run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)  # nosec B603 B607
    run.check_returncode()
    return run.stdout.strip()


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
