"""Arguments that several verbs share: the backbone, ``KEY=VALUE`` and counts."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

WORDS = {"true": True, "false": False, "none": None, "null": None}
"""Values of ``KEY=VALUE`` besides Python literals, in upper or lower case."""


def at_least(least: int) -> Callable[[str], int]:
    """Return the ``type`` of an argument that is an integer of at least ``least``."""
    from argparse import ArgumentTypeError

    def number(text: str) -> int:
        if int(text) < least:
            raise ArgumentTypeError(f"{text} is too small; the minimum is {least}")
        return int(text)

    number.__name__ = "integer"  # argparse prints this name if the text is not a number
    return number


def add_backbone(parser: ArgumentParser, help: str) -> None:
    """Add ``--backbone`` and the arguments of :func:`add_reading`."""
    parser.add_argument("--backbone", required=True, metavar="WHAT", help=help)
    add_reading(parser)


def add_reading(parser: ArgumentParser) -> None:
    """Add the arguments that say how the image encoder and the tokenizer of a backbone are read."""
    parser.add_argument(
        "--tokenizer",
        metavar="PATH",
        help="tokenizer of a released text encoder: a folder, tokenizer.json or vocab.txt",
    )
    parser.add_argument(
        "--text-encoder",
        metavar="PATH",
        help="text encoder of an image encoder's file that has none (BioViL): a folder, or hf:ORG/NAME",
    )
    parser.add_argument(
        "--image-encoder",
        metavar="NAME",
        help="timm's name of a checkpoint's architecture; only its image encoder is loaded",
    )
    parser.add_argument(
        "--input",
        metavar="KEY=VALUE,…",
        help="change the input: size, channels, mean, std, resize, interpolation, resize_to, rounding, "
        "e.g. 'size=384,mean=(0.481,0.458,0.408),resize=crop'",
    )
    parser.add_argument(
        "--pool",
        metavar="NAME",
        help="global pooling of the image encoder: avg, attention or first (hf: cls, mean or pooler)",
    )
    parser.add_argument(
        "--method",
        metavar="MODULE:CLASS",
        help="import this class, which a checkpoint of prior-bench names as its method; without it, only "
        "registered methods are built",
    )
    parser.add_argument(
        "--remote-code",
        metavar="NAME",
        help="run the code that this model of the hub brings; without it, such a model is refused",
    )
    parser.add_argument(
        "--allow-nonfinite",
        action="store_true",
        help="load a checkpoint file with NaN or infinity in its weights; the record lists the tensors",
    )


def add_threads(parser: ArgumentParser) -> None:
    """Add the number of threads and the switch of :func:`add_deterministic`."""
    parser.add_argument(
        "--threads",
        type=at_least(1),
        help="threads; numbers on a CPU depend on it (default: 1 for a small model, all cores for others)",
    )
    add_deterministic(parser)


def add_gpus(parser: ArgumentParser) -> None:
    """Add the GPUs of which each gets a process."""
    parser.add_argument(
        "--gpus",
        metavar="N,…",
        help="'all', or numbers of GPUs: one process for each (docs/scaling.md; default: one process in all)",
    )


def add_workers(parser: ArgumentParser) -> None:
    """Add the number of data loading processes."""
    parser.add_argument(
        "--workers",
        type=at_least(0),
        help="data loading processes (default: on a GPU its share of the cores, at most 8; on a CPU 0)",
    )


def workers_of(args: Namespace) -> int:
    """Return ``--workers``, or its default for ``--device`` and, where the verb has it, ``--gpus``."""
    from prior_bench.runtime import named_gpus, usual_workers

    if args.workers is not None:
        return int(args.workers)
    gpus = getattr(args, "gpus", None)
    return usual_workers(args.device, 1 if gpus is None else len(named_gpus(gpus)))


def add_deterministic(parser: ArgumentParser) -> None:
    """Add the switch for deterministic algorithms on a GPU."""
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="use deterministic algorithms on a GPU as well, as always on a CPU; slower",
    )


def backbone_row_of(args: Namespace) -> dict[str, Any]:
    """Return the row of a suite that the arguments of :func:`add_backbone` describe.

    Raises:
        BenchError: they cannot be read or do not belong together.
    """
    from prior_bench.backbones.reference import backbone_row

    given = keywords(args.input, "--input") if args.input else None
    return backbone_row(
        args.backbone,
        args.tokenizer,
        image_encoder=args.image_encoder,
        input=given,
        pool=args.pool,
        remote_code=args.remote_code,
        text_encoder=args.text_encoder,
        method=args.method,
        allow_nonfinite=args.allow_nonfinite,
    )


def keywords(text: str, where: str) -> dict[str, Any]:
    """Parse ``KEY=VALUE,KEY=VALUE`` to a dict; values are Python literals or single words.

    Raises:
        BenchError: the text has another form.
    """
    import ast

    from prior_bench.errors import BenchError

    problem = BenchError(f"'{text}' is not KEY=VALUE,KEY=VALUE", where=where, fix="e.g. size=224,mean=0.5")
    try:
        call = ast.parse(f"dict({text})", mode="eval").body
    except SyntaxError:
        raise problem from None
    if not isinstance(call, ast.Call) or call.args or any(pair.arg is None for pair in call.keywords):
        raise problem
    found: dict[str, Any] = {}
    for pair in call.keywords:
        try:
            found[str(pair.arg)] = (
                pair.value.id if isinstance(pair.value, ast.Name) else ast.literal_eval(pair.value)
            )
        except ValueError:
            raise problem from None
    return found


def assignments(settings: list[str], where: str) -> dict:
    """Parse ``KEY=VALUE`` texts to a dict.

    Values are Python literals, ``true``, ``false``, ``none`` and ``null`` (upper or lower case), lists of
    texts without quotes (``[a,b]``), or otherwise text. The schema refuses text for keys of other types.

    Raises:
        BenchError: a text has no ``=``.
    """
    import ast

    from prior_bench.errors import BenchError

    found: dict[str, Any] = {}
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
            found[key] = _list_of_texts(value) or value
    return found


def _list_of_texts(value: str) -> list[str]:
    """Return the texts of ``[a,b]``; empty for a value of another form."""
    bare = value.strip()
    if not (bare.startswith("[") and bare.endswith("]")) or any(mark in bare[1:-1] for mark in "[](){}'\""):
        return []
    return [part.strip() for part in bare[1:-1].split(",")]
