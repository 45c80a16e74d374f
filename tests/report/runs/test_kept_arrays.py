"""Arrays are kept up to a number of bytes, those that were used last."""

import numpy as np

from prior_bench.report.runs.kept_arrays import keep_arrays


def kept(most):
    """A function that makes arrays of given sizes, and the list of its calls."""
    calls = []

    @keep_arrays(most)
    def make(name, size):
        """Make."""
        calls.append(name)
        return {"one": np.zeros(size // 2, np.uint8), "other": np.zeros(size - size // 2, np.uint8)}

    return make, calls


def test_what_was_used_last_stays_as_long_as_there_is_room():
    make, calls = kept(100)
    first = make("a", 40)
    make("b", 40)
    assert make("a", 40) is first and calls == ["a", "b"]
    make("c", 40)  # b is the one that was not used since
    assert make("a", 40) is first and make("c", 40)["one"].nbytes == 20
    assert calls == ["a", "b", "c"]
    make("b", 40)
    assert calls == ["a", "b", "c", "b"]


def test_what_is_larger_than_the_room_is_returned_and_not_kept():
    make, calls = kept(100)
    assert make("a", 101)["one"].nbytes == 50 and make("a", 101)["other"].nbytes == 51
    assert calls == ["a", "a"]
    make("b", 100)
    make("b", 100)
    assert calls == ["a", "a", "b"], "and takes no room afterwards"


def test_clearing_forgets_and_gives_the_room_back():
    make, calls = kept(100)
    make("a", 60)
    make.cache_clear()
    make("a", 60)
    make("b", 40)
    make("a", 60)
    assert calls == ["a", "a", "b"] and make.__doc__ == "Make."
