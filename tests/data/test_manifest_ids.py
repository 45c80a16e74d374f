"""An id that occurs twice is refused, also where ids are hashed in blocks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data import manifest
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError


def made(ids, dtype=None) -> Manifest:
    ids = pd.Series(ids, dtype=dtype)
    return Manifest(
        "toy", Path("unused"), pd.DataFrame({"id": ids, "patient_id": ids, "image": ids, "split": "test"})
    )


@pytest.mark.parametrize("dtype", [object, "str"])
def test_the_first_repeated_id_is_named_across_blocks(monkeypatch, dtype):
    monkeypatch.setattr(manifest, "HASHED", 3)
    with pytest.raises(BenchError, match="id 'b' occurs twice"):
        made(["a", "b", "c", "d", "b", "a"], dtype)
    assert len(made(["a", "b", "c", "d", "e", "f", "g"], dtype)) == 7


def test_equal_hashes_of_different_ids_are_compared(monkeypatch):
    monkeypatch.setattr(
        pd.util, "hash_pandas_object", lambda block, **_: pd.Series(np.ones(len(block), np.uint64))
    )
    assert len(made(["a", "b", "c"])) == 3
    with pytest.raises(BenchError, match="id 'c' occurs twice"):
        made(["a", "c", "b", "c"])


@pytest.mark.parametrize("ids", [[], ["a"]])
def test_few_rows(ids):
    assert len(made(ids, object)) == len(ids)
