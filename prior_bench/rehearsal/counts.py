"""Published counts of the data sets that are computed, from the cards of their readers and the papers."""

from __future__ import annotations

CHEXPERT_TRAIN, CHEXPERT_PATIENTS, CHEXPERT_FRONTAL = 223_414, 64_540, 191_027
CHEXPERT_VALID, CHEXPERT_VALID_FRONTAL = 234, 202
RSNA_IMAGES = 26_684
RSNA_BOXES = {1: 2614, 2: 3266, 3: 119, 4: 13}
"""Number of images by their number of boxes; 6,012 images with 9,555 boxes."""
SIIM_IMAGES, SIIM_POSITIVE, SIIM_REGIONS = 12_047, 2_669, 3_576
NIH_IMAGES, NIH_PATIENTS = 112_120, 30_805
NIH_BENCHX = {"train": 78_468, "valid": 11_219, "test": 22_433}
NIH_BENCHX_PERCENT = {1: 785, 10: 7_847}
VINDR = {"train": 15_000, "test": 3_000}
COVIDX_9A = {"train": 29_986, "test": 400}
COVIDX_CXR4 = {"train": 67_863, "val": 8_473, "test": 8_482}
"""One more than BenchX has, which reads the first line of each list as a header."""
OBJECT = {"train": (8_000, 4_000), "dev": (1_000, 500), "test": (1_000, 500)}
"""Images, and those with foreign objects."""
MIMIC_IMAGES, MIMIC_STUDIES, MIMIC_PATIENTS = 377_110, 227_827, 65_379
MIMIC_PARTS = {"train": (64_586, 222_750), "validate": (500, 1_808), "test": (293, 3_269)}
"""Patients and studies of the official parts."""
