"""How retrieval grows with its pool where no matrix of scores is kept: ``python -m benchmarks.large_pools``.

*Blocks*: ranks and the first ten candidates of both directions from global vectors, block by block, beside
the same from a whole matrix at the sizes that ``--whole`` allows. *Cascade*: GLoRIA's scores of all pairs and
of the first 100 candidates alone, with random features. Prints CPU seconds, peak memory and slopes in log-log
scale: 2 is proportional to all pairs.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.metrics import cost, slope
from prior_bench.features.cascade import by_stages, candidates
from prior_bench.metrics import retrieval
from prior_bench.metrics.retrieval_blocks import both_directions

WIDTH = 128
SCORES = 1 << 23
"""Number of scores of a block."""
FIRST = 100
"""Candidates of the cascade."""


def vectors(pool: int) -> tuple[np.ndarray, np.ndarray]:
    """Global vectors of images and texts whose pairs are a little alike."""
    random = np.random.default_rng(0)
    shared = random.normal(size=(pool, WIDTH)).astype(np.float32)
    return tuple(shared + 2 * random.normal(size=shared.shape).astype(np.float32) for _ in range(2))  # type: ignore[return-value]


def in_blocks(sizes: list[int], whole: int) -> None:
    """Print how ranks from blocks grow, and that they are those of a matrix."""
    print("| pairs | blocks, s | peak, MiB | whole, s | peak, MiB | the matrix, MiB |")
    print("|--:|--:|--:|--:|--:|--:|")
    seconds = []
    for pool in sizes:
        image, text = vectors(pool)
        rows = max(1, SCORES // pool)

        def blocks(image=image, text=text, rows=rows) -> Iterator[np.ndarray]:
            return (image[start : start + rows] @ text.T for start in range(0, len(image), rows))

        def at_once(blocks=blocks, pool=pool) -> list[retrieval.Ranks]:
            matrix, own = np.concatenate(list(blocks())), np.arange(pool)
            for one in (matrix, matrix.T):
                retrieval.top(one, 10)
            return [retrieval.ranks(one, own) for one in (matrix, matrix.T)]

        spent, peak = cost(
            lambda blocks=blocks, pool=pool: both_directions(blocks, pool, 10), again=pool <= whole
        )
        seconds.append(spent)
        other = "| - | - "
        if pool <= whole:
            other = "| {:.1f} | {:.0f} ".format(
                *(v / u for v, u in zip(cost(at_once), (1, 2**20), strict=True))
            )
            for one, plain in zip(both_directions(blocks, pool, 10), at_once(), strict=True):
                assert np.array_equal(one.ranks.rank, plain.rank)
        print(
            f"| {pool:,} | {spent:.1f} | {peak / 2**20:.0f} {other}| {4 * pool**2 / 2**20:,.0f} |", flush=True
        )
    print(f"\nslope: {slope(sizes, seconds):.2f}")


def cascade(sizes: list[int], regions: int, words: int) -> None:
    """Print the seconds of GLoRIA's scores of all pairs, and of the first candidates alone."""
    from baselines.gloria.losses import matching

    print(f"\n| pairs | all, s | first {FIRST} of both directions, s | ratio | pairs compared |")
    print("|--:|--:|--:|--:|--:|")
    found: dict[str, list[float]] = {"all": [], "cascade": []}
    for pool in sizes:
        generator = torch.Generator().manual_seed(0)
        image = torch.randn(pool, regions, WIDTH, generator=generator)
        text = torch.randn(pool, words, WIDTH, generator=generator)
        mask = torch.ones(pool, words, dtype=torch.bool)
        first = (image.mean(1) @ text.mean(1).T).numpy()

        def score(i, t, image=image, text=text, mask=mask) -> torch.Tensor:
            return matching(image[i], text[t], mask[t], 4.0, 5.0, chunk=16)

        begun = time.process_time()
        with torch.no_grad():
            exact = torch.cat([score([i], slice(None)) for i in range(pool)]).numpy()
        middle = time.process_time()
        second = np.full_like(first, np.nan)
        wanted = candidates(first, FIRST, 0) | candidates(first, FIRST, 1)
        with torch.no_grad():
            for i in range(pool):
                columns = np.flatnonzero(wanted[i])
                second[i, columns] = score([i], columns)[0].numpy()
        both = [by_stages(first, second, FIRST, axis) for axis in (0, 1)]
        done = time.process_time()
        assert np.allclose(second[wanted], exact[wanted], atol=1e-5) and len(both) == 2
        found["all"].append(middle - begun)
        found["cascade"].append(done - middle)
        print(
            f"| {pool:,} | {middle - begun:.1f} | {done - middle:.1f} "
            f"| {(middle - begun) / (done - middle):.1f} | {wanted.mean():.0%} |",
            flush=True,
        )
    print("\nslopes: " + ", ".join(f"{name} {slope(sizes, values):.2f}" for name, values in found.items()))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[3_125, 12_500, 50_000])
    parser.add_argument("--whole", type=int, default=4_000, help="largest pool whose matrix is made, too")
    parser.add_argument("--local", type=int, nargs="+", default=[250, 500, 1_000])
    parser.add_argument("--regions", type=int, default=49)
    parser.add_argument("--words", type=int, default=40)
    args = parser.parse_args(arguments)
    in_blocks(args.pairs, args.whole)
    cascade(args.local, args.regions, args.words)


if __name__ == "__main__":
    main()
