"""The registries through which prior_bench finds methods, backbones, tasks and data sets.

Names come from two places, in this order: entries that this process registered with a decorator, and entry
points of installed packages, including ours. An entry is imported only when its name is used.

A name of the form ``module:attribute`` is imported directly. The module is also searched in the working
folder, so that a method in a user's own file needs no package.
"""

import functools
import os
import sys
from importlib import import_module
from importlib.metadata import distribution, entry_points
from pathlib import Path
from typing import Any

from mmengine.registry import Registry

from prior_bench import bundled
from prior_bench.errors import BenchError, unknown_name

OWN_DISTRIBUTION = "prior-bench"
"""Distribution that contains this package."""


class LazyRegistry(Registry):
    """An mmengine Registry that also resolves the entry points of one group, on first use.

    Args:
        name: description of an entry in messages, e.g. ``"task"``.
        group: entry-point group, e.g. ``"prior_bench.tasks"``.
    """

    def __init__(self, name: str, group: str):
        super().__init__(name)
        self.group = group
        self._in_full: dict[str, Any] = {}

    def _points(self) -> dict[str, Any]:
        return _installed(self.group, _places())

    def names(self) -> list[str]:
        """Return all known names without importing any."""
        return sorted({*self._module_dict, *self._points()})

    def source(self, name: str) -> str:
        """Return the origin of a name: ``module:attribute`` and the distribution that declares it."""
        if name in self._points():
            point = self._points()[name]
            return f"{point.value} ({point.dist.name} {point.dist.version})"
        entry = self.get(name)
        if ":" in name:
            return f"{name} (named in full)"
        return f"{entry.__module__}:{entry.__qualname__} (registered in this process)"

    def get(self, key: str) -> Any:
        """Return the class or function registered as ``key``, or at ``module:attribute``.

        Raises:
            BenchError: the name is unknown (the message suggests similar ones), or its module cannot be
                imported.
        """
        if key not in self._module_dict and ":" in key:
            return self._named_in_full(key)
        if key not in self._module_dict:
            point = self._points().get(key)
            if point is None:
                raise unknown_name(self.name, key, self.names())
            try:
                entry = _load(point)
            except (ImportError, AttributeError) as error:
                raise BenchError(
                    f"{self.name} '{key}' cannot be loaded: {error}",
                    where=point.value,
                    fix=f"reinstall {point.dist.name}, or fix its entry point",
                ) from error
            self._register_module(module=entry, module_name=key, force=True)
        return self._module_dict[key]

    def registered(self, key: str) -> Any | None:
        """Return the class or function registered as ``key`` by this process or an installed package, or
        None.

        This method is for names in files from others. Unlike :meth:`get`, it does not import
        ``module:attribute``, except if this process has already loaded the name with :meth:`get`.
        """
        if ":" in key and key not in self._module_dict:
            return self._in_full.get(key)
        try:
            return self.get(key)
        except BenchError:
            return None

    def _named_in_full(self, key: str) -> Any:
        module, _, attribute = key.partition(":")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.append(here)  # last, so that a user's file does not hide a library
        try:
            entry = getattr(import_module(module), attribute)
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise BenchError(
                f"{self.name} '{key}' cannot be loaded: {error}",
                where=key,
                fix=_remedy(module.partition(".")[0]),
            ) from error
        self._in_full[key] = entry
        return entry


@functools.lru_cache(maxsize=32)
def _installed(group: str, places: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    """The entry points of a group by name. To read them opens a file of every installed package."""
    return {point.name: point for point in entry_points(group=group)}


def _places() -> tuple[tuple[str, int, int], ...]:
    """The folders with packages and when each changed last: to install or remove a package changes one."""
    found = []
    for place in sys.path:
        try:
            state = os.stat(place or os.curdir)
            found.append((place, state.st_ino, state.st_mtime_ns))
        except OSError:  # nothing is there yet
            found.append((place, 0, 0))
    return tuple(found)


def _load(point: Any) -> Any:
    """Load the object of an entry point; our own packages have priority over others of the same name."""
    if point.dist.metadata["Name"].lower().replace("_", "-") != OWN_DISTRIBUTION:
        return point.load()
    found = import_module(bundled.importable(point.module))
    return functools.reduce(getattr, point.attr.split("."), found)


def _remedy(top: str) -> str:
    ours = {point.module.partition(".")[0] for point in distribution(OWN_DISTRIBUTION).entry_points}
    if top in ours:
        return f"'{top}' is a package of prior-bench: give your module another name"
    return f"run in the folder that contains {top}, or add that folder to PYTHONPATH"


METHODS = LazyRegistry("method", "prior_bench.methods")
"""Pre-training methods: classes that fulfil :class:`prior_bench.api.Method`."""
BACKBONES = LazyRegistry("backbone", "prior_bench.backbones")
"""Sources of weights: classes that fulfil :class:`prior_bench.api.BackboneSource`."""
TASKS = LazyRegistry("task", "prior_bench.tasks")
"""Task families: classes that fulfil :class:`prior_bench.api.Task`."""
DATASETS = LazyRegistry("data set", "prior_bench.datasets")
"""Readers: functions ``(root: Path, *, split: str = "default", **options) -> Manifest``."""
GENERATORS = LazyRegistry("data generator", "prior_bench.generators")
"""Generators of synthetic data sets, by the prefix of a data reference (``sample:chexpert``). Classes with
``options(name) -> dict`` (options of the reader) and ``root(name) -> Path``, which generates missing data;
and optionally ``remark``, put behind the names of its data sets (else ``"synthetic"``), ``data_sets``, their
names, and ``ready(name) -> bool``, whether ``root`` would generate nothing."""
CORRUPTIONS = LazyRegistry("corruption", "prior_bench.corruptions")
"""Corruptions of test images: functions of type :data:`prior_bench.data.images.corruptions.Corruption`."""
EXPLAINERS = LazyRegistry("explainer", "prior_bench.explainers")
"""Explanations of a method besides its attention: :class:`prior_bench.explain.contract.Explainer`."""
GALLERIES = LazyRegistry("gallery", "prior_bench.galleries")
"""Galleries of example images in the HTML report, which tasks name: objects of
:class:`prior_bench.report.html.galleries.maker.Maker`."""
LAYOUTS = LazyRegistry("checkpoint layout", "prior_bench.layouts")
"""Layouts of a method's released checkpoints: functions ``() -> tuple[ReleasedLayout, ...]``."""
CARDS = LazyRegistry("set of model cards", "prior_bench.cards")
"""Cards of public models: functions ``() -> dict`` that return cards by name
(:mod:`prior_bench.models.cards`)."""
