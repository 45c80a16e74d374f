"""How long the command line takes to answer: ``python -m benchmarks.startup``.

Prints the median over paired runs of some commands, relative to a bare interpreter start, and in seconds.
The table is one of published numbers alone.
"""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "prior-bench --help": [sys.executable, "-m", "prior_bench", "--help"],
    "prior-bench list": [sys.executable, "-m", "prior_bench", "list"],
    "prior-bench table": [sys.executable, "-m", "prior_bench", "table", "mgca_linear", "--only-published"],
    "prior-bench doctor": [sys.executable, "-m", "prior_bench", "doctor"],
    "import prior_bench": [sys.executable, "-c", "import prior_bench"],
}


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(repeats: int = 7) -> None:
    """Run all commands in turn, ``repeats`` times, and print medians."""
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(repeats)]
    for name in COMMANDS:
        ratio = statistics.median(r[name] / r["bare interpreter"] for r in rounds)
        wall = statistics.median(r[name] for r in rounds)
        print(f"{name:22s} {wall:6.3f} s   {ratio:5.1f} x a bare interpreter")


if __name__ == "__main__":
    main()
