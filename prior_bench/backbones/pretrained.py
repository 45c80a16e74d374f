"""Rows of a suite whose weights are pre-trained by this suite."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.api import Backbone, LoadContext
from prior_bench.pretraining.config import PretrainConfig, load_config
from prior_bench.pretraining.identity import data_fingerprint, run_identity, run_versions, training_source
from prior_bench.registry import METHODS
from prior_bench.store.changed_source import warn_of_cache


class Pretrained:
    """The method of a pre-training config, trained with the seed of the run.

    Args:
        name: row label.
        config: name or path of a pre-training config.
        overrides: dotted keys of the config to change, with their values.
    """

    has_text = True

    def __init__(self, name: str, config: str, overrides: dict[str, Any] | None = None):
        self.name, self._config_name, self._overrides = name, config, overrides
        self._fingerprint: str | None = None

    @cached_property
    def config(self) -> PretrainConfig:
        """The resolved config.

        Raises:
            BenchError: the config cannot be used.
        """
        return load_config(self._config_name, self._overrides)

    def check(self) -> None:
        """Raise BenchError if the config cannot be used."""
        _ = self.config

    @property
    def method_class(self) -> type:
        """The class of the config's method."""
        return METHODS.get(self.config.method["type"])

    def identity(self, seed: int) -> str:
        """Hash the config, the seed, the content of the data and the declared versions."""
        return run_identity(self.config, self.fingerprint(), seed)

    def fingerprint(self) -> str:
        """Hash the content of the data."""
        return self._fingerprint or data_fingerprint(self.config.data)

    def made_from(self) -> dict[str, Any]:
        """Return what the weights are made from besides config and seed, as plain types.

        Returns:
            ``fingerprint`` of the data, ``source`` (hash of the method's code), and declared ``versions``.
        """
        return {
            "fingerprint": self.fingerprint(),
            "source": training_source(self.config.method["type"]),
            "versions": run_versions(self.config),
        }

    def assume(self, fingerprint: str) -> None:
        """Take the hash of the data as given, where reading them is not worth it: the weights exist."""
        self._fingerprint = fingerprint

    def work_dir(self, seed: int, pretrain_dir: Path) -> Path:
        """Return the folder of the run; runs with different identities never share a folder."""
        return paths.led_here(Path(pretrain_dir) / f"{self.config.name}-seed{seed}-{self.identity(seed)}")

    def gpus_wanted(self, seed: int, pretrain_dir: Path) -> int:
        """Return how many GPUs making the weights takes; one once they exist."""
        return 1 if self.config.gpus == 1 or self.is_made(seed, pretrain_dir) else self.config.gpus

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if a folder of pre-training has the weights of a record, otherwise a reason."""
        from prior_bench.pretraining.folder import RUN, noted
        from prior_bench.pretraining.migrate import identity_today

        for note in context.pretrain_dir.glob(f"*/{RUN}"):
            told = noted(note.parent)
            earlier = told.get("migrated_from")
            if provenance["identity"] in (
                told.get("identity"),
                *(earlier if isinstance(earlier, list) else ()),
            ):
                today = identity_today(note.parent, told)
                return (
                    "" if today == self.identity(seed) else f"{note.parent.name} has another config or data"
                )
        return f"its pre-trained weights are not in {context.pretrain_dir}"

    def is_made(self, seed: int, pretrain_dir: Path) -> bool:
        """Return whether the weights exist."""
        from prior_bench.pretraining.folder import FINAL

        return (self.work_dir(seed, pretrain_dir) / FINAL).is_file()

    def make(self, seed: int, context: LoadContext, slurm: bool = False) -> Path:
        """Train the method, or resume its training; return the checkpoint. Existing weights stay.

        Args:
            seed: of the weights.
            context: how to train.
            slurm: whether this process may be one of several tasks of a Slurm step, which train together.
        """
        from prior_bench.pretraining.folder import FINAL, noted
        from prior_bench.pretraining.on_gpus import pretrain_on

        folder = self.work_dir(seed, context.pretrain_dir)
        path = folder / FINAL
        if path.is_file():
            source = noted(folder).get("code_version")
            if source and source != training_source(self.config.method["type"]):
                warn_of_cache(f"the weights of {self.name} were trained", f"delete {folder}")
            return path
        return pretrain_on(
            context.gpus,
            self.config,
            folder,
            seed,
            context.device,
            workers=context.workers,
            threads=context.threads,
            deterministic=context.deterministic,
            slurm=slurm,
        )

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the trained method; if its weights do not exist, train it first or resume its training."""
        from prior_bench.backbones.native import native_backbone

        path = self.make(seed, context)
        _ = self.method_class  # the config may name it in full; its file alone may not
        return native_backbone(self.name, path, self.identity(seed))
