"""How large the sample benchmark is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Patients per data set and side of the images.

    Attributes:
        side: of every image, in pixels.
        mimic, chexpert_train, chexpert_valid, rsna, siim: patients; the last two have one image each.
        covidx, object_cxr, nih_chestxray14, vindr_cxr: patients; all but NIH's have one image each.
        processes: how many data sets are written at a time.
    """

    side: int = 192
    mimic: int = 950
    chexpert_train: int = 440
    chexpert_valid: int = 75
    rsna: int = 360
    siim: int = 360
    covidx: int = 340
    object_cxr: int = 340
    nih_chestxray14: int = 220
    vindr_cxr: int = 300
    processes: int = 2


SIZES = {
    "default": Size(),
    "tiny": Size(
        side=96,
        mimic=26,
        chexpert_train=30,
        chexpert_valid=12,
        rsna=24,
        siim=24,
        covidx=30,
        object_cxr=48,
        nih_chestxray14=24,
        vindr_cxr=30,
        processes=1,
    ),
}
"""By the name that ``PRIOR_BENCH_SAMPLE_SIZE`` may have."""
