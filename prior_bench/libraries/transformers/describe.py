"""What the configs of a folder tell of its model: class, towers, pooling and input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prior_bench.api import InputSpec
from prior_bench.api.inputs import spec_of
from prior_bench.encoders.hub import quiet
from prior_bench.errors import BenchError, unknown_name
from prior_bench.libraries.transformers.families import FAMILIES, POOLS, Family
from prior_bench.libraries.transformers.preprocessing import SETTLE, stated_input
from prior_bench.model_folders.checked import checked_folder


@dataclass(frozen=True)
class FolderConfig:
    """A folder of transformers, as far as its configs tell.

    Attributes:
        folder: the folder.
        config: the config, an object of transformers.
        model: the class of the model.
        is_two_towers: whether it has an image tower and a text tower.
        vision: the config of the vision model.
        pool: one of POOLS.
        input: the input that the processor states, with the user's changes.
        remote_code: whether code from the folder is run.
    """

    folder: Path
    config: Any
    model: Any
    is_two_towers: bool
    vision: Any
    pool: str
    input: InputSpec
    remote_code: bool = False

    @property
    def family(self) -> Family:
        """The family of the vision model; one that is not known is taken for a plain ViT."""
        return FAMILIES.get(self.vision.model_type, Family(self.pool))

    @property
    def patch(self) -> int:
        """The side of a patch of a plain ViT in pixels, of which inputs are multiples; 1 for other models."""
        return 1 if self.family.stages else side_of(getattr(self.vision, "patch_size", 1))

    @property
    def pads_to_maximum(self) -> bool:
        """Whether texts are padded to one length, without a mask, as SigLIP was trained."""
        return self.config.model_type in ("siglip", "siglip2")


def describe(
    folder: Path, changes: dict[str, Any] | None = None, pool: str | None = None, remote_code: bool = False
) -> FolderConfig:
    """Read the configs of a folder.

    Args:
        folder: a folder with ``config.json``.
        changes: fields of InputSpec to change or to add.
        pool: one of POOLS, in place of the family's.
        remote_code: run the code that the folder brings.

    Raises:
        BenchError: the model has no image encoder, or its input or its pooling is not known.
    """
    checked_folder(folder, own_code=remote_code)
    config = _config(folder, remote_code)
    model = _class_of(config, folder, remote_code)
    is_two_towers = all(hasattr(model, name) for name in ("get_image_features", "get_text_features"))
    vision = getattr(config, "vision_config", None) if is_two_towers else config
    kind = getattr(vision, "model_type", None)
    if is_two_towers and not isinstance(kind, str):
        what = "its vision_config is not in the form of transformers"
        raise BenchError(what, where=folder / "config.json", fix="download the folder again")
    if vision is None or not (hasattr(vision, "image_size") or hasattr(vision, "num_channels")):
        what = f"a model of type '{config.model_type}' has no image encoder"
        raise BenchError(what, where=folder / "config.json", fix="give a vision model or a two-tower model")
    if pool is not None and pool not in POOLS:
        raise unknown_name("pool", pool, list(POOLS), where="pool")
    family = FAMILIES.get(vision.model_type)
    if pool is None and family is None and not is_two_towers:
        raise BenchError(
            f"no rule for the global feature of a model of type '{vision.model_type}'",
            where=folder / "config.json",
            fix="state it: --pool cls, mean or pooler (in a suite's row: pool='cls')",
        )
    pool = pool or ("pooler" if is_two_towers or family is None else family.pool)
    spec = _input(folder, vision, dict(changes or {}), remote_code)
    return FolderConfig(folder, config, model, is_two_towers, vision, pool, spec, remote_code)


def side_of(value: Any) -> Any:
    """Return the side of a square whose size a config states as one number or as two."""
    return value[0] if isinstance(value, list | tuple) else value


def _config(folder: Path, remote_code: bool) -> Any:
    from transformers import AutoConfig

    if not (folder / "config.json").is_file():
        what, fix = "is missing, and says what to build", "download the whole folder again"
        raise BenchError(what, where=folder / "config.json", fix=fix)
    try:
        with quiet("transformers"):
            return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=remote_code)  # nosec B615
    except Exception as error:  # a config can hold anything
        text = str(error).strip() or type(error).__name__
        if "trust_remote_code" in text:
            raise _own_code(folder) from error
        what = f"transformers cannot read it: {text.splitlines()[0]}"
        raise BenchError(what, where=folder / "config.json", fix="download the folder again") from error


def _class_of(config: Any, folder: Path, remote_code: bool) -> Any:
    from transformers import AutoModel
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    if type(config) in MODEL_MAPPING:
        found = MODEL_MAPPING[type(config)]
        return found[0] if isinstance(found, tuple | list) else found
    if remote_code and "AutoModel" in (getattr(config, "auto_map", None) or {}):
        from transformers.dynamic_module_utils import get_class_from_dynamic_module

        return get_class_from_dynamic_module(config.auto_map["AutoModel"], folder)
    what = f"{AutoModel.__name__} of transformers knows no model of type '{config.model_type}'"
    raise BenchError(what, where=folder / "config.json", fix="update transformers")


def _own_code(folder: Path) -> BenchError:
    return BenchError(
        "the model is defined by code of its own, which is not run",
        where=folder,
        fix=f"if you trust its authors, say so by its name: --remote-code {folder.name}",
    )


def _input(folder: Path, vision: Any, changes: dict[str, Any], remote_code: bool) -> InputSpec:
    from transformers import AutoImageProcessor

    files = ("preprocessor_config.json", "processor_config.json")
    stated: dict[str, Any] = {}
    needed = {"size", "mean", "std", "resize"} - set(changes)
    if any((folder / name).is_file() for name in files) and needed:
        try:
            with quiet("transformers"):
                processor = AutoImageProcessor.from_pretrained(  # nosec B615
                    folder, local_files_only=True, trust_remote_code=remote_code
                )
        except Exception as error:  # as above
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BenchError(
                f"cannot read the image processor: {reason}", where=folder, fix=SETTLE
            ) from error
        try:
            stated = stated_input(processor.to_dict(), folder)
        except (TypeError, ValueError, AttributeError, KeyError, ZeroDivisionError, OverflowError) as error:
            what = f"the image processor states its input in a form not known: {error}"
            raise BenchError(what, where=folder, fix=SETTLE) from error
    stated.setdefault("size", side_of(getattr(vision, "image_size", None)))
    told = {**{name: value for name, value in stated.items() if value is not None}, **changes}
    if missing := [name for name in ("size", "mean", "std") if name not in told]:
        what = f"its files do not state the {' and the '.join(missing)} of the input"
        raise BenchError(what, where=folder / files[0], fix=SETTLE)
    if "size" in changes and "resize_to" in told and "resize_to" not in changes:
        spec = spec_of({**told, "size": stated["size"], "channels": _channels(vision)}, folder)
        return spec.changed(changes)
    return spec_of({"channels": _channels(vision), **told}, folder)


def _channels(vision: Any) -> int:
    return getattr(vision, "num_channels", 3)
