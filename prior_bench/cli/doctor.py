"""``prior-bench doctor``: show what is installed, what is missing and how to fix it."""

import argparse

HELP = "show what is installed, which device and data are found, and how to fix what is missing"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add nothing, because doctor takes no arguments."""


def run(args: argparse.Namespace) -> int:
    """Print the findings; return 1 if a required part is missing or broken."""
    from prior_bench import doctor as diagnosis

    findings = diagnosis.examine()
    section = None
    for finding in findings:
        if finding.section != section:
            section = finding.section
            print(f"\n{section}")
        print(f"  {finding.mark} {finding.what}")
        if finding.fix:
            print(f"      -> {finding.fix}")
    broken = [finding for finding in findings if finding.state == "broken"]
    print(f"\n{'Not ready: ' + str(len(broken)) + ' problem(s) above' if broken else 'Ready'}.")
    return 1 if broken else 0
