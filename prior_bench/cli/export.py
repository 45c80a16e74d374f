"""``prior-bench export BACKBONE -o DIR``: write a backbone's encoders for timm and transformers."""

import argparse

from prior_bench.cli.arguments import add_reading, at_least, backbone_row_of

HELP = "write a backbone's encoders for timm and transformers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "backbone",
        help="a checkpoint file, timm:MODEL, random:MODEL or a pre-training config, as for eval --backbone",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="a folder that does not exist yet"
    )
    add_reading(parser)
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="seed of random or pre-trained weights (default: 0)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.backbones.export import export
    from prior_bench.public.backbones import backbone_source, load
    from prior_bench.suites.leakage import exposure_of

    source = backbone_source(backbone_row_of(args))
    lines = export(load(source, args.seed, "cpu"), args.output, exposure_of(source))
    if problem := getattr(source, "text_problem", ""):
        lines.append(f"note          {problem}; only the image encoder was written")
    print(f"wrote {args.output}", *lines, sep="\n  ")
    return 0
