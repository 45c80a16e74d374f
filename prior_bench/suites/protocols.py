"""Protocols by name: shipped files ``configs/protocols/<family>/<name>.py``, or entry points.

A protocol file is an mmengine config with one dict, ``protocol``, whose keys are the fields of
:class:`prior_bench.api.Protocol`; ``_base_`` lets a compat protocol state only what it changes.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

from mmengine.config import Config

from prior_bench import paths
from prior_bench.api import Protocol
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import LazyRegistry

PROTOCOLS = LazyRegistry("protocol", "prior_bench.suites.protocols")
"""Third-party protocols: functions returning a dict of the fields of Protocol."""


def names() -> list[str]:
    """All protocol names, shipped and registered."""
    folder = paths.shipped("configs") / "protocols"
    shipped = [str(p.relative_to(folder).with_suffix("")) for p in folder.rglob("*.py")]
    return sorted({*shipped, *PROTOCOLS.names()})


def load(name: str, overrides: dict[str, Any] | None = None) -> Protocol:
    """The protocol ``name`` (shipped, registered, or a path to a .py file).

    Args:
        overrides: fields to change; dicts are merged. A changed protocol says so in its name.

    Raises:
        BenchError: unknown protocol or field.
    """
    if name in PROTOCOLS.names():
        values = dict(PROTOCOLS.get(name)())
    else:
        path = _file(name)
        config = Config.fromfile(path)
        if "protocol" not in config:
            raise BenchError("no dict named 'protocol'", where=path, fix="see configs/protocols/clean")
        values = config.protocol.to_dict()
    values.setdefault("name", name)
    if overrides:
        values = Config(values).copy()
        values.merge_from_dict(dict(overrides))
        values = values.to_dict()
        values["name"] = f"{values['name']} (changed: {', '.join(sorted(overrides))})"
    return from_dict(values, where=name)


def from_dict(values: dict[str, Any], *, where: object = None) -> Protocol:
    """A Protocol from plain types; unknown fields are an error with a suggestion."""
    known = [f.name for f in fields(Protocol)]
    for key in values:
        if key not in known:
            raise unknown_name("protocol field", key, known, where=where)
    listed: dict[str, Any] = {key: tuple(values[key]) for key in ("metrics", "defects") if key in values}
    return Protocol(**{**values, **listed})


def _file(name: str) -> Path:
    if Path(name).suffix == ".py" and Path(name).is_file():
        return Path(name)
    path = paths.shipped("configs") / "protocols" / f"{name}.py"
    if not path.is_file():
        raise unknown_name("protocol", name, names())
    return path
