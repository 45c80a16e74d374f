"""How large the sample benchmark is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Patients per data set and side of the images.

    Attributes:
        side: of every image, in pixels.
        mimic, chexpert_train, chexpert_valid, rsna, siim: patients; the last two have one image each.
        processes: how many data sets are written at a time.
    """

    side: int = 192
    mimic: int = 950
    chexpert_train: int = 440
    chexpert_valid: int = 75
    rsna: int = 360
    siim: int = 360
    processes: int = 2


SIZES = {
    "default": Size(),
    "tiny": Size(side=96, mimic=26, chexpert_train=30, chexpert_valid=12, rsna=24, siim=24, processes=1),
}
"""By the name that ``PRIOR_BENCH_SAMPLE_SIZE`` may have."""
