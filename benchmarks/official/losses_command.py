"""The command ``losses`` of ``benchmarks.against_official``: official losses and ours, on the CPU."""

import argparse
from functools import partial
from pathlib import Path

from benchmarks.official import losses_gloria, losses_mgca, losses_prior
from benchmarks.official.losses import compared, table

CASES = {"prior": losses_prior.cases, "gloria": losses_gloria.cases, "mgca": losses_mgca.cases}
"""By the name of the checkout: from folder, batch (None: the usual one) and whether to be small, to cases."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options other than ``--checkout``."""
    parser.add_argument(
        "--batch", type=int, help="pairs; by default those of the papers, 8 for PRIOR's stage 3"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="small batches and widths, for a quick look")


def run(checkouts: dict[str, Path], options: argparse.Namespace) -> None:
    """Print one table of all given checkouts.

    Raises:
        SystemExit: official and our numbers differ, or a folder is not what its name says.
    """
    rows = []
    for name, folder in checkouts.items():
        rows += compared(partial(CASES[name], folder, options.batch, options.small), options.repeats)
    print(table(rows))
