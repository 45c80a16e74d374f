"""``prior-bench compare A B``: compare two runs or two stores."""

import argparse

HELP = "compare two runs or two stores: differences and their significance"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    for name in ("first", "second"):
        parser.add_argument(
            name, help="a store (a suite, or the folder of a store) or a run (its key, or SUITE/KEY)"
        )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.errors import BenchError
    from prior_bench.report.comparing import compare
    from prior_bench.report.runs.find_run import find_run, find_store
    from prior_bench.report.runs.reported_runs import reported_runs
    from prior_bench.report.runs.units import one_per_data_set, unit_of, unit_of_several

    stores = [store for name in (args.first, args.second) if (store := find_store(name)) is not None]
    if len(stores) == 2:
        lines, missing = compare.compare_stores(*stores)
        unit = unit_of_several(one_per_data_set(reported_runs(stores)))
        names = (args.first, args.second)
        print(compare.lines_text(lines, *(names if names[0] != names[1] else ("first", "second"))))
        for sentence in missing:
            print(sentence)
        if different := compare.circumstances_between(*stores):
            print("\nThe runs differ in")
            print("\n".join(f"  {line}" for line in different))
    elif stores:
        store, other = (args.first, args.second) if find_store(args.first) else (args.second, args.first)
        raise BenchError(
            f"this is not a store, but '{store}' is one", where=other, fix="give two stores or two runs"
        )
    else:
        first, second = find_run(args.first), find_run(args.second)
        lines, unit = compare.compare_runs(first, second), unit_of(first)
        for difference in compare.spec_differences(first, second):
            print(difference)
        print()
        print(compare.lines_text(lines, first.key[:8], second.key[:8]))
    print(f"\nPaired tests by test {unit}, p-values with Holm's correction; see docs/statistics.md.")
    return 0
