"""Arguments that several verbs share: ``--backbone``, ``--data``, ``KEY=VALUE``, counts."""

from collections.abc import Callable

WORDS = {"true": True, "false": False, "none": None, "null": None}
"""What ``KEY=VALUE`` takes for a value in any case, besides Python literals."""


def at_least(least: int) -> Callable[[str], int]:
    """The ``type`` of an argument that is an integer of ``least`` or more."""
    from argparse import ArgumentTypeError

    def number(text: str) -> int:
        if int(text) < least:
            raise ArgumentTypeError(f"{text} is too small; the minimum is {least}")
        return int(text)

    number.__name__ = "integer"  # argparse prints this name if the text is not a number
    return number


def backbone_row(text: str, tokenizer: str | None = None) -> dict:
    """The row config of a ``--backbone`` argument.

    Args:
        text: the argument.
        tokenizer: of a released checkpoint's text encoder.

    Raises:
        BenchError: not a file or a known source of weights, or the source takes no tokenizer.
    """
    from pathlib import Path

    from prior_bench import paths
    from prior_bench.errors import BenchError, unknown_name

    if tokenizer is not None:
        row = backbone_row(text)
        if row["type"] != "checkpoint":
            raise BenchError("only a checkpoint file can have a tokenizer", where="--tokenizer")
        return {**row, "tokenizer": tokenizer}
    folder = paths.shipped("configs") / "pretrain"
    known = [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.py"))]
    kind, colon, name = text.partition(":")
    if colon and kind in ("timm", "random"):
        untrained = kind == "random" and (name in known or name.endswith(".py"))
        return {"name": text, "type": kind, "config" if untrained else "image_encoder": name}
    is_config = text in known or text.endswith(".py")
    if Path(text).suffix in (".safetensors", ".pt", ".pth", ".ckpt", ".bin") or (
        (Path(text).is_file() or (Path(text) / "config.json").is_file()) and not is_config
    ):
        return {"name": Path(text).stem, "type": "checkpoint", "path": text}
    if not is_config:
        raise unknown_name("backbone", text, [*known, "timm:NAME", "random:NAME", "FILE"], where="--backbone")
    return {"name": text, "type": "pretrain", "config": text}


def data_reference(text: str, labels: list[str], options: dict) -> dict:
    """The data reference of ``--data`` with the options of the reader; ``labels`` is one of them."""
    from prior_bench.data.open import resolve

    return {**resolve(text), **({"labels": labels} if labels else {}), **options}


def assignments(settings: list[str], where: str) -> dict:
    """A dict from ``KEY=VALUE`` texts.

    Values are Python literals, ``true``, ``false``, ``none`` and ``null`` in any case, or else text; the
    schema refuses text where the key takes none.

    Raises:
        BenchError: a text without ``=``.
    """
    import ast

    from prior_bench.errors import BenchError

    found = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BenchError(f"'{text}' is not KEY=VALUE", where=where)
        if value.strip().lower() in WORDS:
            found[key] = WORDS[value.strip().lower()]
            continue
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
