"""The comparisons that ``benchmarks.against_official protocols`` makes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.official import (
    benchx_finetuning,
    gloria_zero_shot,
    mgca_data,
    mgca_linear,
    mgca_segmentation,
)
from benchmarks.official.job import Job


@dataclass(frozen=True)
class Comparison:
    """One protocol, on both sides.

    Attributes:
        checkout: whose code it is.
        data: data set, in :data:`benchmarks.official.layouts.COPIES`.
        folder: its name in the official code.
        protocol: ours.
        metric: what is compared.
        official, ours: from a job to the metric of each seed.
        paired: whether a seed makes the same random choices on both sides.
    """

    checkout: str
    data: str
    folder: str
    protocol: str
    metric: str
    official: Callable[[Job], list[float]]
    ours: Callable[[Job], list[float]]
    paired: bool = False


COMPARISONS = {
    "mgca-linear-rsna": Comparison(
        "mgca",
        "rsna",
        mgca_data.FOLDERS["rsna"],
        "mgca/linear_rsna",
        "AUROC",
        partial(mgca_linear.official, name="rsna"),
        partial(mgca_linear.ours, name="rsna"),
    ),
    "mgca-linear-chexpert": Comparison(
        "mgca",
        "chexpert",
        mgca_data.FOLDERS["chexpert"],
        "mgca/linear_chexpert",
        "AUROC",
        partial(mgca_linear.official, name="chexpert"),
        partial(mgca_linear.ours, name="chexpert"),
    ),
    "benchx-finetuning-rsna": Comparison(
        "benchx",
        "rsna",
        benchx_finetuning.FOLDER,
        "benchx/finetune_rsna",
        "AUROC",
        benchx_finetuning.official,
        benchx_finetuning.ours,
    ),
    "mgca-segmentation-siim": Comparison(
        "mgca",
        "siim",
        mgca_data.FOLDERS["siim"],
        "mgca/segmentation_siim",
        "Dice",
        mgca_segmentation.official,
        mgca_segmentation.ours,
    ),
    "gloria-zero-shot": Comparison(
        "gloria",
        "chexpert-5x200",
        gloria_zero_shot.FOLDER,
        "gloria/zero_shot",
        "AUROC",
        partial(gloria_zero_shot.official, evaluation_mode=True),
        gloria_zero_shot.ours,
        paired=True,
    ),
    "gloria-zero-shot-as-called": Comparison(
        "gloria",
        "chexpert-5x200",
        gloria_zero_shot.FOLDER,
        "gloria/zero_shot",
        "AUROC",
        partial(gloria_zero_shot.official, evaluation_mode=False),
        gloria_zero_shot.ours,
        paired=True,
    ),
}
