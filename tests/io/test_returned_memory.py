"""Arrow's memory while a large file is read: taken from the system, and the usual pool afterwards."""

import pyarrow as pa
import pytest

from prior_bench.io.parquet import returned_memory


def test_memory_is_the_systems_inside_and_the_usual_pools_outside():
    usual = pa.default_memory_pool().backend_name
    with returned_memory():
        assert pa.default_memory_pool().backend_name == "system"
    assert pa.default_memory_pool().backend_name == usual


def test_the_usual_pool_comes_back_after_an_error():
    usual = pa.default_memory_pool().backend_name
    with pytest.raises(ValueError, match="damaged"), returned_memory():
        raise ValueError("damaged")
    assert pa.default_memory_pool().backend_name == usual
