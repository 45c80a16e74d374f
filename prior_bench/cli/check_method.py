"""``prior-bench check-method NAME``: check the contract of a method."""

import argparse

HELP = "check on a few images and reports that a method fulfils the contract"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "name", metavar="NAME", help="a method (its NAME_sample config is used), or a pre-training config"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change a config value, e.g. --set method.stage=3; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Print one line per check; return 1 if a check fails."""
    from prior_bench.cli.arguments import assignments
    from prior_bench.scaffold.checks import CHECKS, Broken
    from prior_bench.scaffold.subject import Subject

    subject = Subject.of(args.name, assignments(args.set, "--set"))
    print(f"{subject.config.method['type']}, built from the config {subject.config.name}")
    width = max(len(check.__name__) for check in CHECKS)
    failed = 0
    for check in CHECKS:
        try:
            verdict, note = "ok", check(subject)
        except Broken as error:
            verdict, note = "FAILED", str(error)
        except Exception as error:  # any exception is a failure of this check and must not hide the others
            verdict, note = "FAILED", f"{type(error).__name__}: {error}"
        failed += verdict == "FAILED"
        print(f"{verdict:<7} {check.__name__.replace('_', ' '):<{width}}  {note}", flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return int(failed > 0)
