"""Checks of the names in a pre-training config: data set, method, encoders, prompts and hooks.

The schema (:mod:`prior_bench.schema.pretrain`) defines the permitted values of each key. This module has the
checks that need the readers, timm, transformers and the signatures of methods and hooks.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from prior_bench.data.references import resolve
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import DATASETS, METHODS
from prior_bench.schema.arguments import argument_errors
from prior_bench.schema.encoders import TextModelSection


def name_errors(values: dict[str, Any], errors: list[BenchError], *, hooks: bool = True) -> list[BenchError]:
    """Return the schema's errors and those in names that the schema accepts.

    Args:
        values: the config, as plain types.
        errors: errors that the schema found.
        hooks: whether to look up hooks.
    """
    flawed = {str(error.where) for error in errors}
    found = list(errors)
    data, method = values.get("data"), values.get("method")
    if isinstance(data, dict) and isinstance(data.get("dataset"), (str, dict)):
        found += _dataset_errors(data["dataset"])
    if isinstance(method, dict) and isinstance(method.get("type"), str) and "method.type" not in flawed:
        found += _method_errors(method)
        found += _encoder_errors(method, flawed)
    validation = values.get("validation")
    if isinstance(validation, dict) and isinstance(validation.get("prompts"), str):
        found += _prompt_errors(validation["prompts"])
    listed = values.get("hooks") or ()
    if hooks and isinstance(listed, (list, tuple)):
        for i, hook in enumerate(listed):
            if isinstance(hook, dict) and isinstance(hook.get("type"), str) and hook["type"]:
                found += _hook_errors(hook, f"hooks[{i}]")
    return list({str(error): error for error in found}.values())


def _dataset_errors(reference: str | dict[str, Any]) -> list[BenchError]:
    where = "data.dataset"
    try:
        data = resolve(reference)
        reader = DATASETS.get(data["type"])
    except BenchError as error:
        return [BenchError(error.what, where=where, fix=error.fix)]
    options = {name: value for name, value in data.items() if name not in ("name", "type", "root", "cache")}
    return argument_errors(reader, options, where, where, supplied=("root", "split"))


def _prompt_errors(name: str) -> list[BenchError]:
    try:
        prompts.load(name)
    except BenchError as error:
        file = f"{error.where}: " if error.where is not None else ""
        return [BenchError(f"{file}{error.what}", where="validation.prompts", fix=error.fix)]
    return []


def _method_errors(method: dict[str, Any]) -> list[BenchError]:
    try:
        factory = METHODS.get(method["type"])
    except BenchError as error:
        return [BenchError(error.what, where="method.type", fix=error.fix)]
    given = {key: value for key, value in method.items() if key != "type"}
    return argument_errors(factory, given, "method", "method")


def _encoder_errors(method: dict[str, Any], flawed: set[str]) -> list[BenchError]:
    from prior_bench.encoders.image import known_model

    found = []
    image, text = method.get("image_encoder"), method.get("text_encoder")
    name = image.get("model_name") if isinstance(image, dict) else None
    if isinstance(name, str) and name:
        try:
            known_model(name)
        except BenchError as error:
            found.append(BenchError(error.what, where="method.image_encoder.model_name", fix=error.fix))
    config = text.get("config") if isinstance(text, dict) else None
    if isinstance(config, dict):
        found += _text_model_errors(config, "method.text_encoder.config")
    return found


def _text_model_errors(config: dict[str, Any], where: str) -> list[BenchError]:
    """Check type and keys of a text model, because transformers accepts unknown keys and ignores them."""
    known, kind = list(TextModelSection.model_fields), config.get("model_type", "bert")
    if not isinstance(kind, str) or (kind == "bert" and set(config) <= set(known)):
        return []
    from transformers import CONFIG_MAPPING

    if kind not in CONFIG_MAPPING:
        return [unknown_name("model type", kind, list(CONFIG_MAPPING), where=f"{where}.model_type")]
    known = sorted({*CONFIG_MAPPING[kind]().to_dict(), "model_type"})
    return [unknown_name("key", str(key), known, where=where) for key in config if key not in known]


def _hook_errors(hook: dict[str, Any], where: str) -> list[BenchError]:
    from mmengine.registry import HOOKS

    module, _, attribute = hook["type"].rpartition(".")
    try:
        kind = getattr(import_module(module), attribute) if module else HOOKS.get(hook["type"])
    except (ImportError, AttributeError, ValueError) as error:
        return [BenchError(f"cannot be loaded: {error}", where=f"{where}.type", fix="module.Class")]
    if kind is None:
        return [unknown_name("hook", hook["type"], list(HOOKS.module_dict), where=f"{where}.type")]
    given = {key: value for key, value in hook.items() if key not in ("type", "priority")}
    return argument_errors(kind, given, where, where)
