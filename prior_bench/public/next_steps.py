"""What to run after pre-training: commands on the data that a checkpoint was trained with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError


def next_steps(checkpoint: str | Path) -> list[str]:
    """Lines that name the evaluations of a checkpoint on its own data: the same reference and split.

    A task is named where the data have what it needs and its default protocol fits them; of a task that lacks
    prompts for the labels, the line says what is missing.

    Args:
        checkpoint: written by :func:`prior_bench.pretrain`.
    """
    from prior_bench.checkpoints.native import read_info
    from prior_bench.data.open import open_dataset
    from prior_bench.data.recorded import check_reader
    from prior_bench.data.references import resolve

    info = read_info(checkpoint)
    data = (info.provenance if info else {}).get("config", {}).get("data")
    if not data:
        return []
    check_reader(resolve(data["dataset"]), str(checkpoint))  # what a file names is not imported
    given = _on_the_command_line(data)
    manifest = open_dataset(data["dataset"], split=data["split_rule"])
    if not (manifest.table["split"] == "test").any():
        return [f"{manifest.name} has no test split to evaluate on (rule '{data['split_rule']}')"]
    lines, method = [], str(info.method.get("type", "")) if info else ""
    named = f" --method {shlex.quote(method)}" if ":" in method else ""  # a file alone gets nothing imported
    for task, missing in _fitting_tasks(manifest, data["split_rule"]):
        command = f"prior-bench eval {task} --backbone {shlex.quote(str(checkpoint))}{named} {given}"
        lines.append(f"{command} --prompts FILE.json  # {missing}" if missing else command)
    return lines


def _fitting_tasks(manifest: Any, split_rule: str) -> list[tuple[str, str]]:
    """Names of tasks that these data allow, and what a user has still to give; empty for nothing."""
    from prior_bench.registry import TASKS
    from prior_bench.suites import protocols

    found = []
    for name in TASKS.names():
        task = TASKS.get(name)()
        default = getattr(task, "default_protocol", "")
        if not (default and task.needs and all(manifest.has(need) for need in task.needs)):
            continue
        protocol = protocols.load(default, {"split.rule": split_rule})
        try:
            task.check(manifest, protocol)
        except BenchError:
            if hasattr(task, "with_prompts"):
                missing = f"a file of prompts for {' or '.join(manifest.labels)}: docs/own_pairs.md"
                found.append((name, missing))
            continue
        found.append((name, ""))
    return found


def _on_the_command_line(data: Mapping[str, Any]) -> str:
    """The arguments of ``prior-bench eval`` that name a pre-training config's data and split."""
    from prior_bench.data.generated import generator_of
    from prior_bench.data.references import OWN_FILES, resolve

    options = resolve(data["dataset"])
    kind, root = options.pop("type"), str(options.pop("root"))
    options.pop("name")
    if isinstance(data["dataset"], str):
        reference, options = data["dataset"], {}
    elif generator_of(root) or root.lower().endswith(OWN_FILES):
        reference = root
    else:
        reference = kind if root == kind else f"{kind}@{root}"
    parts = ["--data", reference]
    for name, value in options.items():
        parts += ["--option", f"{name}={value if isinstance(value, str) else repr(value)}"]
    if data["split_rule"] != "default":
        parts += ["--set", f"split.rule={data['split_rule']}"]
    if "test" in data["splits"]:
        parts.append("--allow-leakage")
    return " ".join(map(shlex.quote, parts))
