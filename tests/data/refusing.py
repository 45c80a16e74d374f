"""That a broken download is refused: one message that names file and fix, and nothing half-written."""

from pathlib import Path

import pytest
from layouts import Layout

from prior_bench.data.open import open_dataset, prepare_dataset
from prior_bench.errors import BenchError


def content(root: Path) -> dict[str, bytes | str]:
    return {
        str(p.relative_to(root)): str(p.readlink()) if p.is_symlink() else p.read_bytes()
        for p in root.rglob("*")
        if p.is_symlink() or p.is_file()
    }


def refused(layout: Layout, root: Path, words: str) -> BenchError:
    """Reading and preparing raise one and the same message; the download is as it was, nothing was begun."""
    before = content(root)
    with pytest.raises(BenchError, match=words) as caught:
        prepare_dataset(layout.reference(root), layout.split)
    assert "fix: " in str(caught.value), "it must say what to do"
    with pytest.raises(BenchError) as again:
        open_dataset(layout.reference(root), layout.split)
    assert str(again.value) == str(caught.value)
    assert content(root) == before
    cache = root.parent / "cache"
    assert not list(cache.rglob("*.part")) and not list(cache.glob("indices/*"))
    assert not list(cache.rglob("complete")) or layout.kind == "medmnist"
    return caught.value
