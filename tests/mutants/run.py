"""Mutation run: change the modules that make the numbers, one line at a time, and see whether a test notices.

make mutants                                          all modules, resuming what was begun
python tests/mutants/run.py metrics statistics        only modules whose path contains one of the words
python tests/mutants/run.py --sample 40 --seed 1      at most 40 mutants of each module, drawn by the seed
python tests/mutants/run.py --report                  only write docs/mutation.md and .mutants/summary.json

The tests run in a copy of the working tree (.mutants/copy). Outcomes are kept in .mutants/outcomes.jsonl: a
mutant that was killed is not run again unless the statement that it changes does; one that survived is run
again when a test that guards it has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tomllib
from pathlib import Path
from typing import Any

from copying import ROOT, STATE, copy_tree
from forked import Ran, preload, run_tests
from mutation import Mutant, mutants
from summary import KILLED, markdown, read_reasons, summarise

HERE = Path(__file__).resolve().parent
SLOWER, LEAST = 5, 20.0
"""A mutant may take so many times the seconds of the unchanged module, and so many at least."""


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants that are asked for and write the summary; 1 where the tests fail without any mutant."""
    options = _options(arguments)
    config = tomllib.loads((HERE / "guards.toml").read_text())
    modules = {m: t for m, t in config["modules"].items() if (ROOT / m).is_file()}
    every = {module: mutants(ROOT, module, config["operators"]) for module in modules}
    outcomes = _read_outcomes()
    if not options.report:
        chosen = [m for m in modules if not options.words or any(word in m for word in options.words)]
        copy = copy_tree("copy")
        preload(config["preload"])
        for module in chosen:
            if not _run_module(copy, module, modules[module], every[module], outcomes, options):
                return 1
    summary = summarise(every, outcomes, read_reasons(HERE / "survivors.toml"))
    STATE.mkdir(exist_ok=True)
    (STATE / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    (ROOT / "docs" / "mutation.md").write_text(markdown(summary, "make mutants"))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*", help="parts of the paths of modules; default: all modules")
    parser.add_argument("--sample", type=int, help="run at most so many mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--report", action="store_true", help="run nothing")
    return parser.parse_args(arguments)


def _run_module(
    copy: Path,
    module: str,
    tests: list[str],
    every: list[Mutant],
    outcomes: dict[str, dict[str, Any]],
    options: argparse.Namespace,
) -> bool:
    """Run the mutants of one module that have no valid outcome; False where the tests fail without one."""
    tests = [test for test in tests if (copy / test).is_file()]
    guard = hashlib.sha256(b"".join((copy / test).read_bytes() for test in tests)).hexdigest()[:12]
    chosen = every
    if options.sample is not None and options.sample < len(every):
        chosen = random.Random(options.seed).sample(every, options.sample)
    todo = [mutant for mutant in chosen if _is_due(outcomes.get(mutant.key), guard)]
    print(f"{module}: {len(every)} mutants, {len(todo)} to run", flush=True)
    if not todo:
        return True
    output = STATE / "output.txt"
    unchanged = run_tests(copy, tests, limit=900, output=output)
    if unchanged.outcome != "passed":
        print(f"{module}: the tests do not pass without a mutant ({unchanged.outcome}); see {output}")
        return False
    limit = max(LEAST, SLOWER * unchanged.seconds)
    original = (copy / module).read_text()
    for number, mutant in enumerate(todo, 1):
        ran = _with_mutant(copy, mutant, original, tests, limit, output)
        outcomes[mutant.key] = _store(mutant, ran, guard)
        verdict = "killed" if ran.outcome in KILLED else "SURVIVED"
        print(f"  {number}/{len(todo)} {verdict} {mutant.line}: {mutant.after}", flush=True)
    return True


def _with_mutant(
    copy: Path, mutant: Mutant, original: str, tests: list[str], limit: float, output: Path
) -> Ran:
    place = copy / mutant.module
    for compiled in (place.parent / "__pycache__").glob(f"{place.stem}.*"):
        compiled.unlink()
    place.write_text(mutant.source)
    try:
        return run_tests(copy, tests, limit, output=output)
    finally:
        place.write_text(original)


def _is_due(outcome: dict[str, Any] | None, guard: str) -> bool:
    return outcome is None or (outcome["outcome"] not in KILLED and outcome["guard"] != guard)


def _read_outcomes() -> dict[str, dict[str, Any]]:
    place = STATE / "outcomes.jsonl"
    lines = place.read_text().splitlines() if place.is_file() else []
    return {entry["key"]: entry for entry in map(json.loads, lines)}


def _store(mutant: Mutant, ran: Ran, guard: str) -> dict[str, Any]:
    entry = {
        "key": mutant.key,
        "module": mutant.module,
        "operator": mutant.operator,
        "after": mutant.after,
        "outcome": ran.outcome,
        "seconds": round(ran.seconds, 2),
        "guard": guard,
    }
    STATE.mkdir(exist_ok=True)
    with (STATE / "outcomes.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
    return entry


if __name__ == "__main__":
    sys.exit(main())
