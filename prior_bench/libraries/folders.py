"""Folders of models as on the Hugging Face hub: where they are, what they contain, and their identity."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from prior_bench.checkpoints.files import sha256
from prior_bench.encoders.hub import require_hub
from prior_bench.errors import BenchError, NotThereError
from prior_bench.io.bounded import json_text
from prior_bench.model_folders.checked import is_own

WEIGHTS = ("*.safetensors", "*.bin", "*.safetensors.index.json", "*.bin.index.json")
NOT_CONTENT = (".md", ".msgpack", ".h5", ".onnx", ".png", ".jpg", ".gitattributes", ".lock")
"""Endings of files that no model of torch is read from."""
SMALL = ("*.json", "*.txt", "*.model", "*.py")
"""Patterns of configs, tokenizers and a model's own code."""


class ModelFolder:
    """A local folder, or a name on the hub, of which the cache has a copy or gets one.

    Args:
        reference: a folder, or ``"ORG/NAME"`` with an optional ``"@REVISION"``.
    """

    def __init__(self, reference: str):
        self.reference = str(reference)
        self._name, _, self._revision = self.reference.partition("@")

    @property
    def is_local(self) -> bool:
        """Whether the reference is a folder."""
        return Path(self.reference).is_dir()

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return Path(self.reference if self.is_local else self._name).name

    @cached_property
    def folder(self) -> Path:
        """The folder with at least the small files.

        Raises:
            BenchError: it neither exists nor can be obtained.
        """
        return Path(self.reference) if self.is_local else self._from_hub(SMALL)

    @property
    def has_weights(self) -> bool:
        """Whether the weights are on this machine."""
        return any(path.suffix in (".safetensors", ".bin") for path in self.folder.iterdir())

    def fetch_weights(self) -> None:
        """Download the weights of a name on the hub, if they are missing.

        Raises:
            BenchError: there are none, or the hub cannot be reached.
        """
        if not self.has_weights and not self.is_local:
            self._from_hub((*SMALL, "*.safetensors"))
            if not self.has_weights:
                self._from_hub((*SMALL, "*.bin"))
        require_shards(self.folder)

    def content(self) -> str:
        """Return the commit of a name on the hub, or a hash of the names and contents of a folder's files."""
        if not self.is_local:
            return f"{self._name}@{self.folder.name}"
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.suffix not in NOT_CONTENT:
                digest.update(f"{path.name} {sha256(path)}\n".encode())
        return digest.hexdigest()[:32]

    def provenance(self) -> dict[str, Any]:
        """Return the commit of a name on the hub, for the record; empty for a folder."""
        return {} if self.is_local else {"commit": self.folder.name}

    def require_reachable(self) -> None:
        """Raise BenchError if the hub cannot be reached."""
        require_hub(f"the model '{self._name}'", where=self.reference, fix=self._fix)

    @property
    def _fix(self) -> str:
        return (
            f"on a machine with network: hf download {self._name} --local-dir {self.short_name}; "
            f"then copy the folder here and name it: {self.short_name}"
        )

    def _from_hub(self, patterns: tuple[str, ...]) -> Path:
        from huggingface_hub import snapshot_download

        wanted: dict[str, Any] = {"revision": self._revision or None, "allow_patterns": list(patterns)}
        if self._name.count("/") != 1:
            what = "is neither a folder nor a name on the hub (ORG/NAME)"
            raise BenchError(what, where=self.reference, fix="check the path")
        try:
            found = Path(snapshot_download(self._name, local_files_only=True, **wanted))  # nosec B615
            if patterns == SMALL or any(found.glob(patterns[-1])):
                return found
        except (OSError, ValueError):
            pass
        self.require_reachable()
        try:
            return Path(snapshot_download(self._name, **wanted))  # nosec B615
        except Exception as error:  # the hub's client has many errors of its own
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            what = f"cannot be obtained from the hub: {reason}"
            raise NotThereError(what, where=self._name, fix=self._fix) from error


def copy_model(source: Path, target: Path) -> None:
    """Copy the files that a model is read from into a new folder.

    Raises:
        BenchError: one is a link to a file elsewhere, which may be none of the model's.
    """
    files = [path for path in sorted(source.iterdir()) if path.is_file() and path.suffix not in NOT_CONTENT]
    for path in files:
        if not is_own(path, source):  # the files of a snapshot in the hub's cache lie in blobs
            what = "is a link to a file outside the model's folder, which is not copied"
            raise BenchError(what, where=path, fix="put the file itself in its place, or remove the link")
    target.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, target / path.name)


def require_shards(folder: Path) -> list[Path]:
    """Return the weights files of a folder, all shards of an index.

    Raises:
        BenchError: there are no weights, or a shard is missing.
    """
    for index in sorted(folder.glob("*.index.json"), key=lambda path: "safetensors" not in path.name):
        try:
            names = sorted(set(json.loads(json_text(index))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            what = f"is no index of weights: {error}"
            raise BenchError(what, where=index, fix="download it again") from error
        missing = [name for name in names if not (folder / Path(name).name).is_file()]
        if missing:
            what = f"{len(missing)} of {len(names)} shards are missing: {', '.join(missing[:3])}"
            raise BenchError(what, where=folder, fix="download them into the folder")
        return [folder / Path(name).name for name in names]
    for ending in (".safetensors", ".bin"):
        if found := sorted(path for path in folder.iterdir() if path.suffix == ending):
            return found
    raise BenchError(
        "there are no weights (model.safetensors or pytorch_model.bin)",
        where=folder,
        fix="download them into the folder",
    )
