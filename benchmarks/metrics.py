"""How the time and memory of metrics grow: ``python -m benchmarks.metrics``.

*Intervals*: bootstrap draws of AUROC and of four metrics, from counts and from repeated samples, in turns.
*Retrieval*: ranks and the first ten candidates of both directions, beside a full sort. Prints CPU seconds,
peak memory beyond the input, and slopes in log-log scale: 1 is proportional to the samples, 2 to all pairs.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from prior_bench.metrics import retrieval
from prior_bench.statistics.bootstrap import bootstrap

CLASSES = 14
FOUR = ("auroc", "auprc", "f1", "accuracy")


def cost(step: Callable[[], object], again: bool = True) -> tuple[float, int]:
    """CPU seconds of one call, and most bytes that it holds at once, in a second call if ``again``.

    Memory is traced by the allocation, which costs next to nothing where arrays are large.
    """
    seconds = 0.0
    if again:
        begun = time.process_time()
        step()
        seconds = time.process_time() - begun
    tracemalloc.start()
    begun = time.process_time()
    step()
    seconds = seconds or time.process_time() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


def predictions(images: int) -> dict[str, np.ndarray]:
    """Predictions of a linear probe: scores that tell the labels apart a little, two images a patient."""
    random = np.random.default_rng(0)
    target = (random.random((images, CLASSES)) < 0.2).astype(float)
    return {
        "id": np.arange(images).astype(str),
        "patient_id": (np.arange(images) // 2).astype(str),
        "score": 1 / (1 + np.exp(-target - random.normal(size=target.shape))),
        "target": target,
        "meta_classes": np.array([f"class {c}" for c in range(CLASSES)]),
        "meta_exclusive": np.array(False),
        "meta_thresholds": np.full(CLASSES, 0.5),
    }


def intervals(sizes: list[int], draws: int) -> None:
    """Print milliseconds a draw, both ways, and that both ways agree."""
    from prior_bench.registry import TASKS

    task = TASKS.get("classification")()
    print(f"| images x {CLASSES} | metrics | repeated, ms a draw | counts, ms a draw | ratio | peak, MiB |")
    print("|--:|:--|--:|--:|--:|--:|")
    points: dict[tuple[str, ...], list[float]] = {}
    for images in sizes:
        found = predictions(images)
        for metrics in (("auroc",), FOUR):

            def plain(metrics=metrics, found=found):
                return bootstrap(lambda p: task.score(p, metrics), found, n=draws)

            def counted(metrics=metrics, found=found):
                return bootstrap(
                    lambda p: task.score(p, metrics),
                    found,
                    n=20 * draws,
                    of_counts=lambda p, counts: task.score_resamples(p, metrics, counts),
                )

            slow, values = plain(), counted()
            assert all(np.allclose(slow[name], values[name][:draws], atol=1e-12) for name in slow)
            before, after = cost(plain)[0] / draws, cost(counted)
            spent = after[0] / (20 * draws)
            points.setdefault(metrics, []).append(spent)
            print(
                f"| {images:,} | {', '.join(metrics)} | {1e3 * before:.1f} | {1e3 * spent:.2f} "
                f"| {before / spent:.0f} | {after[1] / 2**20:.0f} |",
                flush=True,
            )
    for metrics, seconds in points.items():
        print(f"\nslope, {', '.join(metrics)}: {slope(sizes, seconds):.2f}")


def found_candidates(sizes: list[int]) -> None:
    """Print the seconds of ranks and first candidates of both directions, and of a full sort of one."""
    print(
        "\n| pairs | full sort, s | first ten, s | ranks, s | peak of the last two, MiB | the matrix, MiB |"
    )
    print("|--:|--:|--:|--:|--:|--:|")
    seconds = []
    for pairs in sizes:
        similarity = np.random.default_rng(0).normal(size=(pairs, pairs)).astype(np.float32)
        own = np.arange(pairs)
        directions = (similarity, similarity.T)
        first = cost(lambda both=directions, own=own: [retrieval.top(one, 10, exclude=own) for one in both])
        ranks = cost(lambda both=directions, own=own: [retrieval.ranks(one, own) for one in both])
        full = cost(
            lambda one=similarity: [np.argsort(-m.astype(float), axis=1, kind="stable") for m in (one, one.T)]
        )
        seconds.append(first[0] + ranks[0])
        print(
            f"| {pairs:,} | {full[0]:.2f} | {first[0]:.2f} | {ranks[0]:.2f} "
            f"| {max(first[1], ranks[1]) / 2**20:.0f} | {similarity.nbytes / 2**20:.0f} |",
            flush=True,
        )
    print(f"\nslope: {slope(sizes, seconds):.2f}")


def slope(sizes: list[int], seconds: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]) if len(sizes) > 1 else float("nan")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[2500, 5000, 10000, 20000])
    parser.add_argument(
        "--draws", type=int, default=5, help="draws of the slow way; the other makes 20 times as many"
    )
    parser.add_argument("--pairs", type=int, nargs="+", default=[1000, 2000, 4000])
    args = parser.parse_args(arguments)
    intervals(args.images, args.draws)
    found_candidates(args.pairs)


if __name__ == "__main__":
    main()
