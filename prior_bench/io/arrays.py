"""Write NumPy archives whose bytes depend on their arrays alone, and not on the clock."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The date of all members: NumPy and zipfile refuse today's where the clock is before 1980 or after 2107."""


def write_arrays(file: Path | IO[bytes], arrays: Mapping[str, np.ndarray], *, compress: bool = True) -> None:
    """Write arrays as an ``.npz`` file; no array may need pickle.

    Args:
        file: path, or open file.
        arrays: by name.
        compress: whether to compress them.
    """
    import numpy as np

    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", BEGINNING)
            member.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
