"""Protocols by name: shipped files ``configs/protocols/<family>/<name>.py``, or entry points.

A protocol file is an mmengine config with one dict, ``protocol``, whose keys are the fields of
:class:`prior_bench.api.Protocol`; ``_base_`` lets a compat protocol state only what it changes.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.api import Protocol
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import TASKS, LazyRegistry
from prior_bench.schema.errors import checked
from prior_bench.schema.overrides import as_words, merged
from prior_bench.schema.protocol import AnyProtocol, ProtocolModel
from prior_bench.schema.reading import read_file

PROTOCOLS = LazyRegistry("protocol", "prior_bench.suites.protocols")
"""Third-party protocols: functions returning a dict of the fields of Protocol."""

UNNAMED = {"gpus"}
"""Fields whose change makes no other protocol: they change no result."""


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
        BenchError: no such protocol, or an unknown task.
        ErrorList: everything that is wrong with its keys and values, changes included.
    """
    if name in PROTOCOLS.names():
        values = dict(PROTOCOLS.get(name)())
    else:
        path = _file(name)
        stated = read_file(path).get("protocol")
        if not isinstance(stated, dict):
            raise BenchError("no dict named 'protocol'", where=path, fix="see configs/protocols/clean")
        values = stated
    values.setdefault("name", name)
    stated = values
    if overrides:
        values = merged(stated, overrides)
    model = model_of(values)
    if overrides:
        values = merged(stated, as_words(overrides, model))
    checked(model, values, where=name, what="the protocol cannot be used:")
    settled = model.settled(values)
    if settled is not values:
        checked(model, settled, where=name, what="the protocol cannot be used:")
        values = settled
    if changed := sorted(set(overrides or ()) - UNNAMED):
        values["name"] = f"{values['name']} (changed: {', '.join(changed)})"
    return from_dict(values, where=name)


def model_of(values: dict[str, Any]) -> type[ProtocolModel]:
    """The model that checks a protocol: of its task, or the one that fits all.

    Raises:
        BenchError: unknown task.
    """
    task = values.get("task")
    if not isinstance(task, str):
        return AnyProtocol
    try:
        found = TASKS.get(task)
    except BenchError as error:
        raise BenchError(error.what, where="task", fix=error.fix) from error
    model: type[ProtocolModel] = getattr(found, "protocol_model", AnyProtocol)
    return model.model_for(values)


def from_dict(values: dict[str, Any], *, where: object = None) -> Protocol:
    """A Protocol from the plain types of one that was checked before, such as a plan's."""
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
