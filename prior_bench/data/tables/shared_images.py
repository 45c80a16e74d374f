"""A few image files in place of all images of a table: the data sets of a rehearsal.

Such a data set has annotation files of the real size. A file :data:`NAMES` in its folder names the images
that its rows share. Real data sets do not have this file.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from prior_bench.errors import BenchError
from prior_bench.io.bounded import read_json

NAMES = "shared_images.json"
"""Name of the file with a list of images, relative to its folder."""


def with_shared_images(table: pd.DataFrame, root: Path) -> pd.DataFrame | None:
    """Return the table with ``image`` replaced by the shared images, in turn; None without :data:`NAMES`."""
    place = root / NAMES
    if not place.is_file():
        return None
    names = read_json(place)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BenchError("is no list of images", where=place, fix="write the rehearsal's data again")
    return table.assign(image=[names[row % len(names)] for row in range(len(table))])
