"""Read the configs of a folder as data, and refuse those that make a library fetch or run something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.io.bounded import json_text

NOT_CONFIGS = frozenset(("data_config.json",))
"""Files that are named like configs, and that no library reads: on which pairs sentence encoders trained."""
OTHER_FILES = ("fast_tokenizer_files", "configuration_files")
"""Keys with which a config names the file that transformers reads in place of the usual one."""


def check_folder_configs(configs: dict[str, Any], where: object) -> None:
    """Raise BenchError if the configs of a folder make a library fetch or run something else.

    Args:
        configs: the content of its JSON files, by name.
        where: the folder.
    """
    refused = []
    for file, config in configs.items():
        for key, value in entries(config):
            fetches = key == "backbone" and isinstance(value, str)
            trusts = key in ("trust_remote_code", "use_pretrained_backbone", "use_kernels") and value
            kernels = "attn_implementation" in key and names_code(key, value)
            leads = key in OTHER_FILES and value not in (None, [], ["tokenizer.json"])  # past other checks
            if fetches or trusts or kernels or leads:
                refused.append(f"{key} in {file}")
            if key == "quantization_config" and value:
                what = "its weights are quantised, which no task here compares"
                raise BenchError(what, where=f"{where}/{file}", fix="take the weights in float32")
    refuse(sorted(set(refused)), where)


def names_code(key: str, value: Any) -> bool:
    """Whether an entry of a config is code, or where code is found."""
    if "attn_implementation" in key:  # it may be a repository of kernels
        return isinstance(value, str | dict) and value not in ("eager", "sdpa")
    return key == "auto_map"


def entries(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a dict and of all nested dicts and lists."""
    if isinstance(values, dict):
        yield from values.items()
        values = list(values.values())
    if isinstance(values, list | tuple):
        for value in values:
            yield from entries(value)


def refuse(names: list[str], where: object) -> None:
    """Raise BenchError if there are keys that a file may not set."""
    if names:
        raise BenchError(
            f"describes its model with keys that a file may not set: {', '.join(names)}",
            where=where,
            fix="remove these entries, and use the file only if you trust its source",
        )


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of a config; empty if it is not there.

    Raises:
        BenchError: it cannot be read, or is no dict.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(json_text(path))
    except (ValueError, RecursionError) as error:
        raise BenchError(f"not valid JSON: {error}", where=path, fix="download it again") from error
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror}", where=path) from error
    if not isinstance(found, dict):
        what = f"is no config: {type(found).__name__} instead of a dict"
        raise BenchError(what, where=path, fix="download it again")
    return found


def configs_in(folder: Path) -> dict[str, Any]:
    """Return the content of the configs in a folder, by name; those that other libraries read, too.

    Raises:
        BenchError: one cannot be read.
    """
    names = {path.name for path in folder.glob("*config*.json")} - NOT_CONFIGS
    return {name: read_config(folder / name) for name in sorted(names)}
