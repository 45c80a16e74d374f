"""The 14 observations of CheXpert and MIMIC-CXR, and the policies for uncertain labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prior_bench.errors import BenchError, unknown_name

FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
"""The competition classes (Irvin et al. 2019), in the order of GLoRIA and MGCA."""
FOURTEEN = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other",
    "Fracture", "Support Devices",
)  # fmt: skip
"""All observations, in the order of CheXpert's files."""
LABEL_SETS = {"five": FIVE, "fourteen": FOURTEEN}

UNCERTAIN: dict[str, dict[str, float]] = {
    "gloria": {
        **dict.fromkeys(FOURTEEN, np.nan),
        **dict.fromkeys(("Atelectasis", "Edema", "Pleural Effusion"), 1.0),
        **dict.fromkeys(("Cardiomegaly", "Consolidation"), 0.0),
    },
    "ones": dict.fromkeys(FOURTEEN, 1.0),
    "zeros": dict.fromkeys(FOURTEEN, 0.0),
    "ignore": dict.fromkeys(FOURTEEN, np.nan),
}
"""Value that replaces a raw -1, by policy and observation.

``gloria`` is the mixed policy of GLoRIA and MGCA. They define it for the five classes only; here, the others
become unknown. LoVT uses ``ones``. NaN means unknown and is ignored in losses and metrics.
"""


def label_set(choice: str | Sequence[str]) -> tuple[str, ...]:
    """Return the label names of ``"five"``, ``"fourteen"`` or a list of observations.

    Raises:
        BenchError: the set or an observation is unknown.
    """
    if isinstance(choice, str) and choice in LABEL_SETS:
        return LABEL_SETS[choice]
    names = (choice,) if isinstance(choice, str) else tuple(choice)
    for name in names:
        if name not in FOURTEEN:
            raise unknown_name("CheXpert observation", name, [*LABEL_SETS, *FOURTEEN])
    return names


def resolve_labels(
    raw: pd.DataFrame, names: Sequence[str], uncertain: str, where: object = None
) -> pd.DataFrame:
    """Convert raw values (1, 0, -1, blank) to 1, 0 and NaN; blank ("not mentioned") becomes 0.

    Raises:
        BenchError: the policy is unknown, or a raw value is not allowed.
    """
    if uncertain not in UNCERTAIN:
        raise unknown_name("policy for uncertain labels", uncertain, list(UNCERTAIN))
    policy = UNCERTAIN[uncertain]
    columns = {}
    for name in names:
        known = raw[name].isna() | pd.to_numeric(raw[name], errors="coerce").isin([1, 0, -1])
        if not known.all():
            raise BenchError(
                f"label '{name}' is '{raw[name][~known].iloc[0]}'; allowed are 1, 0, -1 and blank",
                where=where,
                fix="download the file again",
            )
        values = pd.to_numeric(raw[name]).fillna(0).astype(np.float32)
        columns[name] = values.mask(values == -1, policy[name])
    return pd.DataFrame(columns, index=raw.index)
