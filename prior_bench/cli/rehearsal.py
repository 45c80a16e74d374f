"""``prior-bench rehearsal [SUITE …]``: print what rehearsals say of the real runs."""

import argparse

HELP = "print memory, time and projected hours from rehearsals (prior-bench run SUITE --rehearse)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    from prior_bench.cli.run import add_images_per_second

    parser.add_argument(
        "suite",
        nargs="*",
        help="names of shipped suites, or config files: a line per evaluation; without any, a line for each "
        "suite that was rehearsed",
    )
    add_images_per_second(parser)


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a cell failed or was not rehearsed yet."""
    from prior_bench.public.rehearsals import projected, rehearsed_suites
    from prior_bench.report.projection_text import suite_text, suites_text

    found = {name: projected(name, args.images_per_second) for name in args.suite or rehearsed_suites()}
    if args.suite:
        print("\n\n".join(suite_text(name, one, args.images_per_second) for name, one in found.items()))
    else:
        print(suites_text(found, args.images_per_second))
    return int(any(one.failed or one.missing for one in found.values()))
