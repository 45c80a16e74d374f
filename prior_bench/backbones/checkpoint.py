"""Checkpoint files as backbones: prior-bench's own, released ones, and image encoders of any kind."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import (
    at_size_of_weights,
    check_encoder,
    encoder_arguments,
    hash_of,
    made_backbone,
    size_problem,
)
from prior_bench.backbones.model_identity import other_than_noted
from prior_bench.backbones.native import native_backbone
from prior_bench.backbones.plain_encoder import load_plain, require_plain_fit
from prior_bench.backbones.stated_input import check_input, require_statistics
from prior_bench.backbones.text_model import SeparateText, absent_text
from prior_bench.checkpoints.folders import exposure_of_folder, training_data_of, weights_file
from prior_bench.checkpoints.permitted import check_given_method
from prior_bench.errors import BenchError
from prior_bench.registry import METHODS
from prior_bench.versions import IMAGE_WEIGHTS, machinery, raised, statistics_part


class CheckpointFile:
    """A weights file or folder: one of prior-bench, a released one, or an image encoder's state dict.

    Args:
        name: label of the row.
        path: the file, or a folder with a ``config.json`` as on the Hugging Face hub.
        image_encoder: arguments of ImageEncoder or a timm model's name. If given, only the file's image
            encoder is loaded; by default, the architecture is found automatically.
        tokenizer: tokenizer of a released text encoder, whose file has no vocabulary: a folder, a
            ``tokenizer.json`` or a ``vocab.txt``. By default, the hub's; without it, only image tasks run.
        text_encoder: folder or hub name (``"hf:ORG/NAME"``) of a released image encoder's text encoder in
            another place (BioViL). By default, the hub's; if it cannot be obtained, only image tasks run.
        input: fields of InputSpec to change, e.g. ``dict(mean=0.50627, std=0.28947)``; not for files of
            prior-bench. Files that do not state their mean and std need it.
        method: name in full (``module:Class``) of a prior-bench file's method, to import it.
        allow_nonfinite: whether weights with NaN or infinity are loaded, which the record then lists. Scores
            that are not finite still fail a run.
    """

    def __init__(
        self,
        name: str,
        path: str,
        image_encoder: dict[str, Any] | str | None = None,
        tokenizer: str | None = None,
        input: dict[str, Any] | None = None,
        text_encoder: str | None = None,
        method: str | None = None,
        allow_nonfinite: bool = False,
    ):
        self.name, self.path, self._method_name = name, Path(path), method
        self._encoder = None if image_encoder is None else encoder_arguments(image_encoder)
        self._given_tokenizer, self._input = tokenizer, dict(input or {})
        self._given_text, self._allow_nonfinite = text_encoder, allow_nonfinite

    @property
    def has_text(self) -> bool:
        """Whether the file has a text encoder whose tokenizer can be obtained."""
        if not self.path.exists():
            return False
        if self._native is not None:
            return self._native.is_method
        return self._whole is not None and not self.text_problem

    @cached_property
    def text_problem(self) -> str:
        """Why the file's text encoder cannot be used; empty if it can be used or there is none."""
        layout = self._whole
        if layout is None:
            return ""
        try:
            if self._text is not None:
                self._text.check()
            _ = self._tokenizer
        except BenchError:
            return absent_text(layout, separate=self._text is not None)
        return ""

    def check(self) -> None:
        """Raise BenchError if the file is missing, damaged or incomplete, or arguments do not fit it."""
        given = (self._encoder, self._input, self._given_tokenizer, self._given_text)
        if self._native is not None and any(given):
            raise BenchError(
                "a prior-bench checkpoint contains its encoders, input and tokenizer",
                where=self.path,
                fix="leave image_encoder, text_encoder, input and tokenizer out",
            )
        if self._native is not None:
            check_given_method(self._native.method.get("type"), self._method_name, self.path)
        elif self._method_name is not None:
            raise BenchError("is no file of prior-bench, and names no method", where=self.path)
        if self._encoder is not None:
            check_encoder(self._encoder)
        if self._input:
            check_input(self._input)
        if self._match is not None:
            self._match.require_complete(self.path)
        if self._given_text:
            self._check_text()
        if self._given_tokenizer:
            if self._whole is None:
                raise BenchError("has no text encoder for this tokenizer", where=self.path)
            _ = self._tokenizer
        if self._native is None and self._match is None:
            require_plain_fit(self._file, self.path, self._arguments)
        self._check_statistics()

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can, or not known."""
        if self._native is not None or self._match is not None:
            return ""
        return size_problem(self._arguments, size)

    @property
    def method_class(self) -> type | None:
        """The class of the file's method; None for one that is not registered, or an image encoder alone."""
        if not self.has_text:
            return None
        method = self._native.method if self._native is not None else self._whole.method
        return METHODS.get(method["type"]) if method.get("type") in METHODS.names() else None

    def identity(self, seed: int) -> str:
        """Hash the file and how it is used; the seed has no effect."""
        use: list[Any] = [self._encoder, self._input, raised(machinery(self._parts))]
        method, by_image = self._native.method if self._native is not None else {}, False
        if self._match is not None:
            layout, method = self._match.layout, self._whole.method if self._whole is not None else {}
            by_image = layout.keyed_by_image or not layout.has_text
            use.append({"image_encoder": layout.image_encoder} if by_image else layout.method)
        if method.get("type") in METHODS.names():  # a full name in a file is not imported to get its version
            from prior_bench.pretraining.identity import method_versions

            versions = raised(method_versions(method))
            use += [versions] if versions or not by_image else []
        if self._given_text and self._text is not None:
            use.append([method, self._text.content()])
        if self._given_tokenizer:
            use.append(self._tokenizer.to_json())
        return hash_of("checkpoint", self._sha256, *use)

    @property
    def _parts(self) -> tuple[str, ...]:
        """The machinery that the weights and their input depend on."""
        parts = (*IMAGE_WEIGHTS, "checkpoints")
        if self._native is not None or self._match is not None:
            return parts  # the file or its layout states the input
        encoder = self._encoder or {"pretrained": self.path.is_dir()}  # a folder may state its input
        told = {**encoder, "input": {**(encoder.get("input") or {}), **self._input}}
        return (*parts, "recognition", *statistics_part(told))

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if a record has the same weights, by hash or identity; otherwise a reason."""
        text = self._text.content() if self._given_text and self._text is not None else None
        identity = self._native.provenance.get("identity") if self._native is not None else None
        return other_than_noted(provenance.get("backbone", {}), self._sha256, identity, text)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the backbone.

        Raises:
            BenchError: the file cannot be read or has another architecture.
        """
        from prior_bench.checkpoints.values import nonfinite_allowed

        with nonfinite_allowed(self._allow_nonfinite) as found:
            backbone = self._load(seed)
        backbone.provenance.update({"nonfinite": found} if found else {})
        return backbone

    def _load(self, seed: int) -> Backbone:
        if self._native is not None:
            check_given_method(self._native.method.get("type"), self._method_name, self.path)
            return native_backbone(self.name, self._file, self.identity(seed))
        self._check_statistics()
        if self._match is not None:
            return self._released(seed)
        encoder, told = load_plain(self._file, self.path, self._arguments, self._input)
        return made_backbone(self.name, encoder, None, self.identity(seed), told)

    def training_data(self) -> list[dict[str, Any]]:
        """Return data set, split rule and splits of prior-bench's own pre-training; empty for other files."""
        if self._native is None:
            return exposure_of_folder(self.path).get("training_data", [])
        return training_data_of(self._native.provenance)

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return the data sets whose patients a released checkpoint has seen, also once it is converted."""
        told = exposure_of_folder(self.path).get("known_exposure", [])
        return [*(self._origin.exposure if self._origin is not None else ()), *map(tuple, told)]

    def config(self) -> dict[str, Any] | None:
        """Return the arguments of METHODS.build for a released checkpoint with text; None for other files."""
        from prior_bench.backbones.released import method_config

        return method_config(self._whole, self._input) if self._match and self.has_text else None

    def _released(self, seed: int) -> Backbone:
        from prior_bench.backbones.released import load_parts

        tokenizer = self._tokenizer if self.has_text else None
        encoder, method, told = load_parts(self._match, self._file, tokenizer, self._text, self._input)
        text = self.text_problem or ("yes" if method is not None else "none in the file")
        told |= {"path": str(self.path), "sha256": self._sha256, "text": text}
        return made_backbone(self.name, encoder, method, self.identity(seed), told)

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        """The image encoder's arguments for a file without a known layout, before changes of its input."""
        return at_size_of_weights(self._found)

    @cached_property
    def _found(self) -> dict[str, Any]:
        """The arguments that are given, stated in a folder or read off the tensors."""
        from prior_bench.checkpoints.architectures import arguments_for
        from prior_bench.checkpoints.timm_names import read_for_timm

        return arguments_for(read_for_timm(self._file), self.path, self._encoder)

    def _check_statistics(self) -> None:
        """Raise BenchError if nobody states the mean and std of the input."""
        if self._native is not None:
            return
        own = self._match.layout.image_encoder if self._match is not None else self._found
        origin = self._origin
        released = (origin.name, origin.image_encoder["input"]) if origin is not None else None
        stated = {**(own.get("input") or {}), **self._input}
        require_statistics(stated, own.get("in_channels", 3), self.path, released, self._file)

    def _check_text(self) -> None:
        """Raise BenchError if the given text encoder is not the one of the file."""
        from prior_bench.checkpoints.timm_names import read_for_timm

        if self._text is None:
            what = "its text encoder is in the file" if self._whole is not None else "takes no text encoder"
            fix = "leave text_encoder out" + (", or image_encoder" if self._encoder else "")
            raise BenchError(what, where=self.path, fix=fix)
        self._text.check()
        _ = self._tokenizer
        if self._text.is_here:
            self._text.joined(self._match, read_for_timm(self._file))

    @cached_property
    def _file(self) -> Path:
        return weights_file(self.path)

    @cached_property
    def _sha256(self) -> str:
        from prior_bench.checkpoints.files import sha256

        return sha256(self._file)

    @cached_property
    def _native(self) -> Any:
        from prior_bench.checkpoints.native import read_info

        return read_info(self._file)

    @cached_property
    def _match(self) -> Any:
        from prior_bench.backbones.released import match_released
        from prior_bench.checkpoints.timm_names import read_for_timm

        if self._native is not None or self._encoder is not None:
            return None
        return match_released(read_for_timm(self._file))

    @cached_property
    def _origin(self) -> Any:
        """The layout of the released file that the weights come from, if any."""
        from prior_bench.backbones.released import origin_of

        return origin_of(self._file, self._native.provenance if self._native is not None else None)

    @cached_property
    def _tokenizer(self) -> Any:
        from prior_bench.checkpoints.vocabulary import tokenizer_of

        given = self._given_tokenizer or (self._text.folder if self._text is not None else None)
        return tokenizer_of(self._whole, given)

    @property
    def _whole(self) -> Any:
        """The layout of the file with its text encoder, which may be in another place; None without one."""
        return self._match.layout.of_both if self._match is not None else None

    @cached_property
    def _text(self) -> SeparateText | None:
        """The text encoder in another place than the file; None if there is none, or it is in the file."""
        if self._whole is None or self._match.layout.has_text:
            return None
        return SeparateText(self._given_text or self._match.layout.text_model, self._whole)
