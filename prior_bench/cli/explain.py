"""``prior-bench explain``: write pages that explain a method with pictures and measures."""

import argparse

from prior_bench.cli.arguments import add_reading, add_workers, at_least, backbone_row_of, workers_of

HELP = "explain a method with pictures: attention, reconstructions, prototypes, written reports"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--backbone", required=True, metavar="WHAT", help="a checkpoint file, or a pre-training config"
    )
    add_reading(parser)
    parser.add_argument(
        "--data",
        required=True,
        metavar="REF",
        help="a data set with reports: NAME, NAME@DIR, sample:NAME, CSV",
    )
    parser.add_argument(
        "--phrases",
        metavar="REF",
        help="a data set whose phrases have regions, to measure where the method sees them, such as "
        "sample:ms_cxr (default: --data, if it has phrases)",
    )
    parser.add_argument(
        "--image", action="append", default=[], metavar="ID", help="id of an image; may be repeated"
    )
    parser.add_argument(
        "--count",
        type=at_least(1),
        default=4,
        help="number of images, evenly spread over the split, if --image is not given (default: 4)",
    )
    parser.add_argument("--split", default="test", help="train, valid or test (default)")
    parser.add_argument("--rule", default="default", help="split rule (default: the data set's default)")
    parser.add_argument(
        "--measure",
        type=at_least(1),
        default=200,
        metavar="N",
        help="number of images for the measures (default: 200)",
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="option of the data set's reader"
    )
    parser.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        help="seed of the pre-training, if --backbone is a config (default: 0)",
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default)")
    add_workers(parser)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the pages")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from pathlib import Path

    from prior_bench import paths
    from prior_bench.api import RunContext
    from prior_bench.cli.arguments import assignments
    from prior_bench.errors import BenchError
    from prior_bench.explain.explanation import explain
    from prior_bench.explain.pages import write_pages
    from prior_bench.public.backbones import backbone_source, load
    from prior_bench.public.datasets import open_dataset
    from prior_bench.runtime import pick_device, threads, usual_threads
    from prior_bench.store.provenance import command

    source = backbone_source(backbone_row_of(args))
    if problem := getattr(source, "text_problem", ""):
        raise BenchError(problem, where=args.backbone)
    manifest = open_dataset(args.data, split=args.rule, **assignments(args.option, "--option"))
    device = pick_device(args.device)
    workers = workers_of(args)
    backbone = load(source, args.seed, device, workers)
    context = RunContext(device=device, workers=workers, cache_dir=paths.cache_root())
    with threads(usual_threads(backbone.parameters)):
        explanation = explain(
            backbone,
            manifest,
            context,
            split=args.split,
            ids=args.image,
            count=args.count,
            measured=args.measure,
            phrases=None if args.phrases is None else open_dataset(args.phrases),
        )
    for line in explanation.lines():
        print(line)
    print(write_pages(explanation, Path(args.output), command()))
    return 0
