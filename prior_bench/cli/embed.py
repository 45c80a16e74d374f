"""``prior-bench embed BACKBONE --data D -o FILE``: write a file of embeddings, or list what one needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from prior_bench.cli.arguments import add_reading, add_workers, at_least, workers_of

if TYPE_CHECKING:
    from prior_bench.api import NeededVectors

HELP = "write the vectors of images and texts to a file, or list the images and texts that need one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("backbone", nargs="?", help="the model, as for eval --backbone; not with --list")
    parser.add_argument(
        "--data", required=True, metavar="REF", help="NAME, NAME@DIR, sample:NAME, a CSV or a .npz file"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a .npz or .parquet file that does not exist yet; with --list, a file of JSON lines "
        "(default: print them)",
    )
    parser.add_argument(
        "--list",
        choices=("ids", "texts"),
        help="list the images or texts that need a vector, as JSON lines, and compute nothing",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="NAME",
        help="embed what this protocol uses (default: all images, and the reports of the test split); may be "
        "repeated",
    )
    parser.add_argument(
        "--prompts",
        action="append",
        default=[],
        metavar="FILE",
        help="also embed prompts: a .json file of your own, or the name of a shipped set; may be repeated",
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="COLUMN",
        help="label column to use (default: all label columns); may be repeated",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of the data set's reader, e.g. missing=skip; may be repeated",
    )
    add_reading(parser)
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="seed of random or pre-trained weights (default: 0)"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default)")
    add_workers(parser)


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    import sys

    from prior_bench.cli.arguments import assignments, backbone_row_of
    from prior_bench.errors import BenchError
    from prior_bench.io.atomic import write_text
    from prior_bench.public.embedding import embed, needed_vectors

    what = dict(
        protocols=args.protocol,
        prompts=args.prompts,
        labels=args.label,
        reader=assignments(args.option, "--option"),
    )
    if args.list:
        if args.backbone is not None:
            raise BenchError("needs no backbone", where="--list", fix=f"leave out {args.backbone}")
        lines = listed(needed_vectors(args.data, **what), args.list)
        if args.output is None:
            sys.stdout.write(lines)
        else:
            write_text(args.output, lines)
            print(f"wrote {args.output}: {lines.count(chr(10)):,} {args.list}")
        return 0
    if args.backbone is None or args.output is None:
        missing = "BACKBONE" if args.backbone is None else "-o FILE"
        raise BenchError(f"{missing} is missing", where="embed", fix="or list what is needed: --list ids")
    row = backbone_row_of(args)
    how = dict(seed=args.seed, device=args.device, workers=workers_of(args))
    path = embed(row, args.data, args.output, **what, **how, say=lambda line: print(f"note: {line}"))
    print(f"wrote {path}: {described(path)}")
    print(f"  use it with --backbone embeddings:{path}")
    return 0


def listed(needed: NeededVectors, what: str) -> str:
    """Return JSON lines: ``id``, ``image`` and ``size`` of each image, or each ``text``."""
    import json

    from prior_bench.api import text_key
    from prior_bench.backbones.stored_embeddings import file_sizes

    if what == "texts":
        lines: list[dict] = [{"text": one} for one in dict.fromkeys(map(text_key, needed.texts))]
    else:
        data = needed.images
        lines = [
            {"id": str(data.cell("id", row)), "image": str(data.path(row)), "size": int(size)}
            for row, size in enumerate(file_sizes(data))
        ]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def described(path: object) -> str:
    """Return the counts and dimensions of a file of embeddings."""
    from prior_bench.backbones.embedding_formats import read_embeddings

    stored = read_embeddings(str(path))
    text = f"{len(stored.ids):,} images x {stored.vectors.shape[1]}"
    if stored.text_vectors is not None:
        text += f", {len(stored.texts):,} texts x {stored.text_vectors.shape[1]}"
    return text
