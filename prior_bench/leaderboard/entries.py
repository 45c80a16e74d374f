"""Who stands in a leaderboard, and where: rows of bundles, and boards of one evaluation each."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prior_bench.leaderboard.checking import CheckedBundle
from prior_bench.report.runs.reported_runs import FinishedRun, primary_metric
from prior_bench.schema.bundle import BundleCard
from prior_bench.store.cells import Labels, identity, labels_of, labels_text
from prior_bench.store.descriptions import of_records
from prior_bench.suites.keys import UNHEARD

LONGEST_SLUG = 60


@dataclass(frozen=True, eq=False)
class Contributor:
    """A row of a bundle.

    Attributes:
        bundle: where it is from.
        name: name of the backbone in the records.
        label: the name for display; with the bundle's title where several bundles have it.
        slug: name of its files.
        runs: its newest run of each cell.
        older: number of its records that a newer one of the same cell replaces.
    """

    bundle: CheckedBundle
    name: str
    label: str
    slug: str
    runs: tuple[FinishedRun, ...]
    older: int = 0

    @property
    def card(self) -> BundleCard:
        """Its card in the bundle."""
        return self.bundle.opened.cards[self.name]


@dataclass(eq=False)
class Board:
    """An evaluation: a task on a data set under a protocol, with an amount of labels.

    Attributes:
        spec: of one of its runs.
        metric: name of the primary metric.
        slug: name of its page.
        variant: hash of its settings if other boards have the same names; else empty.
        entries: the runs of each contributor, by seed.
    """

    spec: dict[str, Any]
    metric: str
    slug: str
    variant: str = ""
    entries: dict[Contributor, dict[int, FinishedRun]] = field(default_factory=dict)

    @property
    def labels(self) -> Labels:
        """The amount of training labels."""
        return labels_of(self.spec)

    @property
    def synthetic(self) -> bool:
        """Whether its data set is generated."""
        return any(run.record.synthetic for run in self.all_runs())

    @property
    def amount(self) -> str:
        """The amount of training labels in words; empty for a task that uses none."""
        about = [run.record.about for run in self.all_runs()]
        if not of_records(self.spec["task"], about).uses_labels:
            return ""
        return f"{labels_text(self.labels)} {'of the labels' if self.labels[0] else 'for training'}"

    @property
    def title(self) -> str:
        """Task, data set, protocol and labels in words."""
        task = self.spec["task"].replace("_", "-")
        task = task[:1].upper() + task[1:]
        labels = f", {self.amount}" if self.amount else ""
        variant = f", variant {self.variant}" if self.variant else ""
        return f"{task} on {self.spec['data']['name']}, {self.spec['protocol']['name']}{labels}{variant}"

    def all_runs(self) -> list[FinishedRun]:
        """All its runs."""
        return [run for runs in self.entries.values() for run in runs.values()]


def contributors(bundles: Iterable[CheckedBundle]) -> list[Contributor]:
    """Return the rows of all bundles, in alphabetical order."""
    bundles = list(bundles)
    named = Counter(name for bundle in bundles for name in bundle.opened.cards)
    titles = Counter(bundle.opened.statement.title for bundle in bundles)
    found = []
    for bundle in bundles:
        for name in sorted(bundle.opened.cards):
            title, sha256 = bundle.opened.statement.title, bundle.opened.sha256
            whose = title if titles[title] == 1 else f"{title}, {sha256[:8]}"
            label = f"{name} ({whose})" if named[name] > 1 else name
            runs, older = _newest(bundle, name)
            slug = slug_of(name, [sha256, name])
            found.append(Contributor(bundle, name, label, slug, runs, older))
    return sorted(found, key=lambda one: (one.label.casefold(), one.label, one.slug))


def boards(rows: Iterable[Contributor]) -> list[Board]:
    """Return one board for each evaluation of some rows, in alphabetical order of their titles.

    Two protocols of one name with other settings are two boards.
    """
    found: dict[str, Board] = {}
    for row in rows:
        for run in row.runs:
            place = _evaluation(run.spec)
            if place not in found:
                spec = run.spec
                words = [spec["task"], spec["data"]["name"], spec["protocol"]["name"]]
                words.append(labels_text(labels_of(spec)))
                metric = primary_metric(spec) or next(iter(run.record.metrics), "")
                found[place] = Board(spec, metric, slug_of("-".join(words), place))
            found[place].entries.setdefault(row, {})[run.spec["seed"]] = run
    titles = Counter(board.title for board in found.values())
    for place, board in found.items():
        if titles[board.title] > 1:
            board.variant = hashlib.sha256(place.encode()).hexdigest()[:8]
    return sorted(found.values(), key=lambda board: (board.title.casefold(), board.slug))


def settings_of(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a protocol that may change a number, as they are in JSON."""
    rest = {name: value for name, value in protocol.items() if name not in UNHEARD}
    if rest.get("version") == 1:
        del rest["version"]
    return json.loads(json.dumps(rest, sort_keys=True))


def slug_of(words: str, content: Any) -> str:
    """Return the name of a file: ASCII letters of some words, and a hash of what it stands for."""
    text = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:LONGEST_SLUG].strip("-")
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]
    return f"{text}-{digest}" if text else digest


def _newest(bundle: CheckedBundle, name: str) -> tuple[tuple[FinishedRun, ...], int]:
    newest: dict[Any, FinishedRun] = {}
    mine = [record for record in bundle.records.values() if record.spec["backbone"]["name"] == name]
    for record in sorted(mine, key=lambda r: (str(r.provenance.get("finished", "")), r.key)):
        place = (_evaluation(record.spec), identity(record.spec))
        newest[place] = FinishedRun(record.spec, record.key, "", record, bundle.opened.store)
    return tuple(newest.values()), len(mine) - len(newest)


def _evaluation(spec: Mapping[str, Any]) -> str:
    """Return what identifies an evaluation: task, data set, all settings of the protocol, labels.

    The root of a data set in a sound bundle is that of a generator, or the same for all.
    """
    few = spec["protocol"].get("few_shot", {}) if spec.get("shots") is not None else {}
    parts = [spec["task"], spec["data"], settings_of(spec["protocol"]), few, labels_of(spec)]
    return json.dumps(parts, sort_keys=True)
