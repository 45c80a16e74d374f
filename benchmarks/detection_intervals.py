"""How the time of a detection's intervals grows: ``python -m benchmarks.detection_intervals``.

Bootstrap draws of the mAP from how often each image was drawn (boxes are matched once), beside the mAP of the
repeated images, in turns. Prints CPU seconds, the ratio, peak memory beyond the input and the slope in
log-log scale: 1 is proportional to the images.
"""

import argparse

import numpy as np

from benchmarks.metrics import cost, slope
from prior_bench.statistics.bootstrap import bootstrap

BOXES = 35
"""Predicted boxes of an image, about as many as the frozen YOLOv3 of the study leaves."""


def predictions(images: int) -> dict[str, np.ndarray]:
    """Boxes of one class, some near the true ones; four in ten images have one or two."""
    random = np.random.default_rng(0)
    truth_sample = np.repeat(np.arange(images), random.choice(3, images, p=[0.6, 0.25, 0.15]))
    corner = random.integers(0, 700, (len(truth_sample), 2))
    truth_box = np.hstack([corner, corner + random.integers(100, 300, corner.shape)]).astype(float)
    sample = np.concatenate([truth_sample, np.repeat(np.arange(images), BOXES)])
    corner = random.integers(0, 700, (images * BOXES, 2))
    far = np.hstack([corner, corner + random.integers(100, 300, corner.shape)])
    box = np.vstack([truth_box + random.normal(0, 20, truth_box.shape), far])
    return {
        "id": np.arange(images).astype(str),
        "patient_id": np.arange(images).astype(str),
        "flat_sample": sample,
        "flat_box": box,
        "flat_score": np.append(random.beta(3, 2, len(truth_box)), random.beta(1, 5, len(far))),
        "flat_label": np.zeros(len(box), int),
        "truth_sample": truth_sample,
        "truth_box": truth_box,
        "truth_label": np.zeros(len(truth_box), int),
        "meta_classes": np.array(["pneumonia"]),
    }


def main(arguments: list[str] | None = None) -> None:
    from prior_bench.registry import TASKS

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[250, 500, 1000, 2000])
    parser.add_argument(
        "--draws", type=int, default=5, help="of the slow way; the other makes 20 times as many"
    )
    args = parser.parse_args(arguments)
    task, names = TASKS.get("detection")(), ("map_40_75",)
    print("| images | repeated, ms a draw | counts, ms a draw | ratio | peak, MiB |\n|--:|--:|--:|--:|--:|")
    seconds = []
    for images in args.images:
        found = predictions(images)

        def plain(found=found):
            return bootstrap(lambda p: task.score(p, names), found, n=args.draws)

        def counted(found=found):
            of_counts = lambda p, counts: task.score_resamples(p, names, counts)  # noqa: E731
            return bootstrap(lambda p: task.score(p, names), found, n=20 * args.draws, of_counts=of_counts)

        slow, values = plain()["map_40_75"], counted()["map_40_75"]
        assert np.allclose(slow, values[: args.draws], atol=1e-12) and slow.std() > 0
        before, after = cost(plain)[0] / args.draws, cost(counted)
        spent = after[0] / (20 * args.draws)
        seconds.append(spent)
        print(
            f"| {images:,} | {1e3 * before:.1f} | {1e3 * spent:.2f} | {before / spent:.0f} "
            f"| {after[1] / 2**20:.0f} |",
            flush=True,
        )
    print(f"\nslope: {slope(args.images, seconds):.2f}")


if __name__ == "__main__":
    main()
