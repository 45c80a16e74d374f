"""Which images of a table are frontal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FRONTAL = ("frontal", "pa", "ap")
"""Values of the column ``view`` for frontal images, in any case."""


def frontal_first(table: pd.DataFrame) -> np.ndarray:
    """Return the order of rows with frontal images first, int [rows]; the table's own order without views."""
    if "view" not in table:
        return np.arange(len(table))
    frontal = table["view"].astype(str).str.lower().isin(FRONTAL).to_numpy()
    return np.argsort(~frontal, kind="stable")
