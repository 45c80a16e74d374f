"""``prior-bench new baseline NAME``: write the files of a new method that runs without changes."""

import argparse

HELP = "write the files of a new method that runs without changes"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("kind", choices=("baseline",), help="what to write")
    parser.add_argument("name", metavar="NAME", help="lower-case Python name, e.g. my_method")
    parser.add_argument(
        "--dir", default=".", metavar="DIR", help="a checkout of prior-bench, or any folder (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the files and print the next commands."""
    from pathlib import Path

    from prior_bench.scaffold.baseline import plan, write

    folder = Path(args.dir)
    made = plan(args.name, folder)
    write(made)
    print("written:")
    for what, file in (("method", made.method_file), ("config", made.config_file), ("test", made.test_file)):
        print(f"  {what}  {file}")
    where = "" if folder.resolve() == Path.cwd() else f" (in {folder})"
    test = made.test_file.relative_to(folder).as_posix()
    print(f"it runs without changes{where}:")
    for command in (
        f"prior-bench check-method {args.name}",
        f"pytest {test}",
        f"prior-bench pretrain {made.config}",
    ):
        print(f"  {command}")
    print("to make it a row of a suite and of its table:")
    print(f'  dict(name="{args.name}", type="pretrain", config="{made.config}")')
    print("for a short name in configs, add these entry points to a package and install it again:")
    print(f'  [project.entry-points."prior_bench.methods"]\n  {args.name} = "{made.type}"')
    return 0
