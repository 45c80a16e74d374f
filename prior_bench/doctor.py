"""Diagnosis of the installation: packages, compiled operators, device, data sets, checkpoints."""

import importlib
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from prior_bench import __version__, paths
from prior_bench.registry import DATASETS

MARKS = {"ok": "+", "absent": "-", "broken": "!"}
OPENCV = "apt-get install -y --no-install-recommends libgl1 libglib2.0-0"
"""Installs what OpenCV needs of a Debian system."""
CHECKPOINTS = (".safetensors", ".pth", ".pt", ".ckpt")


@dataclass(frozen=True)
class DiagnosisLine:
    """One line of the diagnosis.

    Attributes:
        section: heading of the section.
        state: ``ok``, ``absent`` (optional and missing) or ``broken`` (required).
        what: the finding.
        fix: what the user can do; may be empty.
        shared: the finding for a bug report, if ``what`` names folders or files; otherwise None.
    """

    section: str
    state: str
    what: str
    fix: str = ""
    shared: str | None = None

    @property
    def mark(self) -> str:
        """The sign of the state, one character."""
        return MARKS[self.state]


def examine() -> list[DiagnosisLine]:
    """Return all findings in the order of printing."""
    return [*_python(), *_packages(), *_ops(), *_device(), *_datasets(), *_checkpoints()]


def _python() -> Iterator[DiagnosisLine]:
    text = f"Python {platform.python_version()} on {platform.platform(terse=True)}"
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    fix = "" if fits else "install Python 3.11, 3.12 or 3.13 (mmengine does not run on 3.14)"
    yield DiagnosisLine("Python", "ok" if fits else "broken", text, fix)
    installed = f"prior-bench {__version__}"
    yield DiagnosisLine("Python", "ok", f"{installed} in {paths.PACKAGE}", shared=installed)


def _packages() -> Iterator[DiagnosisLine]:
    from packaging.requirements import Requirement

    for line in requires("prior-bench") or []:
        requirement = Requirement(line)
        name, optional = requirement.name, requirement.marker is not None
        remedy = f"pip install '{name}{requirement.specifier}'"
        if name == "mmcv-lite" and _compiled_mmcv():
            yield DiagnosisLine("Packages", "ok", f"mmcv {version('mmcv')} (in place of mmcv-lite)")
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            state = "absent" if optional else "broken"
            yield DiagnosisLine("Packages", state, f"{name}: not installed{' (optional)' * optional}", remedy)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            text = f"{name} {found}: outside the supported range {requirement.specifier}"
            yield DiagnosisLine("Packages", "broken", text, remedy)
            continue
        yield DiagnosisLine("Packages", "ok", f"{name} {found}")


def _compiled_mmcv() -> bool:
    try:
        return bool(version("mmcv"))
    except PackageNotFoundError:
        return False


def _ops() -> Iterator[DiagnosisLine]:
    section = "Detection and segmentation (MMDetection, MMSegmentation)"
    from prior_bench.openmmlab import ops

    try:
        ops.install()
        for module in ("mmdet", "mmseg"):
            importlib.import_module(module)
        yield DiagnosisLine(section, "ok", f"compiled operators come from: {ops.provider()}")
    except Exception as error:  # noqa: BLE001 - any error of these imports is a finding
        fix = "prior-bench requires mmcv-lite 2.1 or a working compiled mmcv 2.1"
        if "libGL" in str(error) or "libgthread" in str(error):
            fix = "system libraries of OpenCV are missing: " + OPENCV
        yield DiagnosisLine(section, "broken", f"cannot be imported: {error}", fix)


def _device() -> Iterator[DiagnosisLine]:
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            yield DiagnosisLine(
                "Device", "ok", f"cuda:{index} {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
            )
    else:
        yield DiagnosisLine(
            "Device", "ok", f"cpu, {torch.get_num_threads()} threads; no CUDA device is visible"
        )


def _datasets() -> Iterator[DiagnosisLine]:
    section = f"Data sets (under {paths.data_root()}; set PRIOR_BENCH_DATA to choose another folder)"
    for name in DATASETS.names():
        if name == "csv":
            yield DiagnosisLine(section, "ok", "csv: your own images, --data FILE.csv")
        elif (paths.data_root() / name).exists():
            where = f"{name}: {paths.data_root() / name}"
            yield DiagnosisLine(section, "ok", where, shared=f"{name}: found")
        else:
            fix = f"prior-bench data describe {name}; the synthetic version is --data sample:{name}"
            yield DiagnosisLine(section, "absent", f"{name}: not found", fix)


def _checkpoints() -> Iterator[DiagnosisLine]:
    folder = paths.unchecked_roots()["results"] / "pretrain"
    section = f"Checkpoints (under {folder})"
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in CHECKPOINTS]
    finals = [p for p in files if p.suffix == ".safetensors"]
    for file in finals:
        size = _megabytes(file)
        yield DiagnosisLine(section, "ok", f"{file}: {size}", shared=f"a checkpoint: {size}")
    if not finals:
        yield DiagnosisLine(
            section, "absent", "none found", "prior-bench pretrain convirt_sample, or --backbone FILE"
        )


def _megabytes(file: Path) -> str:
    return f"{file.stat().st_size / 2**20:.0f} MB"
