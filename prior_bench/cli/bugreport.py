"""``prior-bench bugreport``: write a report of the last command that may be sent to others."""

import argparse

HELP = "gather versions, config, log and traceback of the last command in a text file, without data or paths"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--log", metavar="FILE", help="log of the command (default: the newest in the results root)"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file to write (default: prior-bench-bugreport-TIME.txt here)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from datetime import UTC, datetime
    from pathlib import Path

    from prior_bench.bugreport.collect import bug_report
    from prior_bench.io.atomic import write_text

    text = bug_report(Path(args.log) if args.log else None)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    path = args.output or f"prior-bench-bugreport-{now}.txt"
    write_text(path, text)
    print(f"wrote {path}; read it before you send it")
    return 0
