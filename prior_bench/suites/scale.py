"""Run a suite on other data: on the sample benchmark at toy scale, or on a user's data set.

A scale config (``configs/scales/sample.py``) says in full what a suite is changed to on the sample benchmark:
which backbones stand for its rows, which fields of its protocols shrink, and what its tables must say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from prior_bench.data.generated import generated
from prior_bench.data.references import resolve
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.registry import GENERATORS
from prior_bench.schema.errors import checked
from prior_bench.schema.reading import read_config
from prior_bench.schema.scale import ScaleConfig
from prior_bench.suites.suite import Suite, listed, seeds_of

SAMPLE = "sample"
"""In place of a data reference: the synthetic counterpart of every data set of the suite."""


@dataclass(frozen=True)
class Scale:
    """How a suite is changed.

    Attributes:
        title: put behind the titles of suite and tables.
        notes: sentences that its tables must carry.
        generator: of the data sets that replace those of the suite.
        seeds: of all runs; none for the first seed of each evaluation.
        backbones: what stands for a row, by its name.
        kept: types of rows that stay as they are.
        left_out: rows that nothing stands for, with the reason.
        data: options of readers, by a suite's reference or by the data set's name.
        protocols: overrides by a pattern of names; the first that fits counts.
        where: the config file, for messages.
    """

    title: str
    notes: list[str]
    backbones: dict[str, dict[str, Any]]
    generator: str = "sample"
    seeds: list[int] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)
    where: str = "scale"


def load_scale(name: str = SAMPLE) -> Scale:
    """The scale of a config file.

    Raises:
        ErrorList: unknown or missing keys.
    """
    values, path = read_config(name, "scales")
    checked(ScaleConfig, values, path, "the scale cannot be used:")
    return Scale(**values, where=str(path))


def with_data(suite: Suite, data: str) -> Suite:
    """The suite on other data.

    Args:
        suite: as its config says.
        data: :data:`SAMPLE`, or a data reference for a suite that has a single data set.

    Raises:
        BenchError: the suite has several data sets, or is on the sample benchmark already.
        ErrorList: rows or data sets that have no counterpart.
    """
    return at_scale(suite, load_scale()) if data == SAMPLE else on_data(suite, data)


def on_data(suite: Suite, data: str) -> Suite:
    """The suite with its only data set replaced by a user's.

    Where that is the same data set elsewhere on the disk, the suite stays what it is; else it gets a store of
    its own.
    """
    own = {str(entry["data"]): resolve(entry["data"]) for entry in suite.evaluations}
    if len(own) > 1:
        raise BenchError(
            f"the suite has {len(own)} data sets: {', '.join(known['name'] for known in own.values())}",
            where="--data",
            fix=f"'{SAMPLE}' replaces several data sets; for your own data set, edit a copy of the suite",
        )
    given, (before,) = resolve(data), own.values()
    if given["type"] == before["type"]:
        there = {**before, "root": given["root"]}
        evaluations = [{**entry, "data": there} for entry in suite.evaluations]
        return replace(suite, evaluations=evaluations, called=f"{suite.name} --data {data}")
    return replace(
        suite,
        name=f"{suite.name}-{given['name']}",
        evaluations=[{**entry, "data": given} for entry in suite.evaluations],
        instead_of=suite.evaluations,
        remark=f"on {given['name']}",
        called=f"{suite.name} --data {data}",
    )


def at_scale(suite: Suite, scale: Scale) -> Suite:
    """The suite on generated data, with a store of its own."""
    errors: list[BenchError] = []
    rows = [row for row in suite.backbones if row["name"] not in scale.left_out]
    for row in rows:
        name = row["name"]
        if name not in scale.backbones and row["type"] not in scale.kept:
            fix = f"name one, or leave the row out, in {scale.where}"
            errors.append(
                BenchError(f"no substitute is declared for the row '{name}'", where=suite.where, fix=fix)
            )
    kept = [row["name"] for row in rows]
    before, after = [], []
    for entry in suite.evaluations:
        for_rows = [name for name in listed(entry.get("backbones", kept)) if name in kept]
        if not for_rows:
            continue
        try:
            changed = _entry_at_scale(entry, scale, seeds_of(suite, entry))
        except BenchError as error:
            errors.append(error)
            continue
        before.append({**entry, "seeds": seeds_of(suite, entry)})
        after.append({**changed, "backbones": for_rows})
    if errors:
        what = f"the suite cannot be run on data of the generator '{scale.generator}':"
        raise ErrorList(what, errors, where=suite.where)
    names = [row["name"] for row in suite.backbones]
    out = [f"{name} is left out: {scale.left_out[name]}." for name in names if name in scale.left_out]
    return replace(
        suite,
        name=f"{suite.name}-{scale.generator}",
        title=f"{suite.title or suite.name} ({scale.title})",
        backbones=[
            row if row["type"] in scale.kept else {"name": row["name"], **scale.backbones[row["name"]]}
            for row in rows
        ],
        evaluations=after,
        seeds=scale.seeds or suite.seeds,
        instead_of=before,
        remark=scale.title,
        notes=[*scale.notes, *out],
        called=f"{suite.name} --data {SAMPLE}",
    )


def _entry_at_scale(entry: Mapping[str, Any], scale: Scale, seeds: list[int]) -> dict[str, Any]:
    changed = {name: value for name, value in entry.items() if name not in ("seeds", "overrides")}
    if not scale.seeds:
        changed["seeds"] = seeds[:1]
    overrides = next((o for p, o in scale.protocols.items() if fnmatchcase(entry["protocol"], p)), {})
    changed["data"] = sample_of(entry["data"], scale)
    return {**changed, "overrides": {**entry.get("overrides", {}), **overrides}}


def sample_of(reference: str | dict[str, Any], scale: Scale) -> dict[str, Any]:
    """The synthetic counterpart of a data set, resolved, with the options that it was given.

    Raises:
        BenchError: it has none, or is synthetic itself.
    """
    given = resolve(reference)
    if generated(given["root"]):
        fix = "run the suite as it is: prior-bench run SUITE"
        raise BenchError("is synthetic already", where=str(reference), fix=fix)
    kind, generator = given["type"], GENERATORS.get(scale.generator)
    known = getattr(generator, "data_sets", (kind,))
    if kind not in known:
        raise unknown_name(f"{scale.generator} data set", kind, list(known), where=str(reference))
    options_of_kind = generator.options(kind)
    extra = scale.data.get(reference if isinstance(reference, str) else kind, scale.data.get(kind, {}))
    options = {name: value for name, value in given.items() if name not in ("name", "root", "cache")}
    remark = getattr(generator, "remark", "synthetic")
    place = {"name": f"{given['name']} ({remark})", "root": f"{scale.generator}:{kind}"}
    return {**place, **options_of_kind, **options, **extra}
