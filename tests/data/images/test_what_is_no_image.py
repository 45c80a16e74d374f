"""A file that is no image is called what it is: it was not downloaded, or is another kind of file."""

import pytest

from prior_bench.data.images.read import read_image
from prior_bench.errors import BenchError


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n", "Git LFS", "git lfs pull"),
        (b"<!DOCTYPE html><html>Sign in</html>", "web page", "log in"),
        (b"\x80\x04K\x01.", "pickled", "the image itself"),
        (b"%PDF-1.7 ...", "PDF", "the image itself"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.dcm"])
def test_what_is_no_image_is_called_what_it_is(tmp_path, name, content, what, fix):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        read_image(path)
    assert what in caught.value.what and fix in caught.value.fix and str(path) in str(caught.value)
