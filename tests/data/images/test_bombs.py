"""Files that unpack to far more than they have."""

import gzip
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian
from writers import write_dicom

from prior_bench.backbones.embedding_formats import read_embeddings
from prior_bench.data.images.npz import read_array, stream_images, unpack_images
from prior_bench.data.images.read import read_image
from prior_bench.data.tables.text_file import read_text
from prior_bench.errors import BenchError
from prior_bench.io import bounded


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(bounded, "UNPACKED_FREELY", 2**16)


def deflated(path, more=b""):
    """A DICOM file whose content is deflated, with further bytes in it."""
    rng = np.random.default_rng(0)
    data = pydicom.dcmread(write_dicom(path, rng.integers(0, 255, (16, 16)).astype(np.uint8)))
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    if more:
        data.add_new(0x7FE10010, "OB", more)
    data.save_as(path)
    return path


def test_a_deflated_dicom_file_is_read_unless_it_is_a_bomb(tmp_path):
    assert read_image(deflated(tmp_path / "a.dcm")).shape == (16, 16)
    with pytest.raises(BenchError, match=r"b\.dcm: its deflated content unpacks to more than 30 times"):
        read_image(deflated(tmp_path / "b.dcm", bytes(2**20)))


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv.zip"])
def test_a_packed_table_is_read_unless_it_is_a_bomb(tmp_path, name):
    def written(text):
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text))
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("table.csv", text)
        return path

    text = "\n".join(str(zlib.crc32(bytes([n % 256, n // 256]))) for n in range(20_000))
    assert read_text(written(text.encode())) == text
    with pytest.raises(BenchError, match=r"table\.csv\..*: unpacks to more than 30 times its size"):
        read_text(written(b"0," * 2**19))


def parquet(path, vectors):
    ids = pa.array([str(n) for n in range(len(vectors))])
    images = pa.array(list(vectors), pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ids, "image": images}), path, compression="zstd")
    return path


def test_embeddings_in_parquet_are_read_unless_they_are_a_bomb(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    assert np.array_equal(read_embeddings(parquet(tmp_path / "a.parquet", vectors)).vectors, vectors)
    with pytest.raises(BenchError, match=r"b\.parquet.*unpacks to .* more than 30 times its size"):
        read_embeddings(parquet(tmp_path / "b.parquet", np.zeros((200, 8192), np.float32)))


def test_arrays_of_medmnist_are_read_unless_they_are_bombs(tmp_path):
    path, noise = tmp_path / "a.npz", np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8)
    np.savez_compressed(path, labels=np.ones(9), images=noise, bomb=np.zeros((2, 1024, 1024), np.uint8))
    assert read_array(path, "labels").shape == (9,) and len(list(stream_images(path, "images"))) == 9
    for read in (lambda: read_array(path, "bomb"), lambda: next(stream_images(path, "bomb"))):
        with pytest.raises(BenchError, match="'bomb' unpacks to 2,097,280 bytes, more than 30 times"):
            read()


def test_embeddings_of_single_values_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", ids=np.array("a"), images=np.float32(1))
    with pytest.raises(BenchError, match=r"a\.npz: ids: is a single value"):
        read_embeddings(tmp_path / "a.npz")


def test_an_array_of_millions_of_images_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (2_000_001, 1, 1)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=noise)
    with pytest.raises(BenchError, match="instead of uint8 images"):
        next(stream_images(tmp_path / "a.npz", "images"))


@pytest.mark.parametrize("marker", [b"", b"two", b"\xff\xfe", b"9" * 5000, b"-1", b"3_0", b"1e3"])
def test_an_odd_marker_of_unpacked_images_is_written_anew(marker, tmp_path):
    np.savez(tmp_path / "a.npz", test_images=np.zeros((3, 4, 4), np.uint8))
    (tmp_path / "test").mkdir()
    (tmp_path / "test/complete").write_bytes(marker)
    assert unpack_images(tmp_path / "a.npz", "test_images", tmp_path / "test") == 3
    assert (tmp_path / "test/complete").read_text() == "3"
    assert len(list((tmp_path / "test").glob("*.png"))) == 3


def test_a_marker_of_unpacked_images_that_is_mostly_holes_is_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", test_images=np.zeros((3, 4, 4), np.uint8))
    (tmp_path / "test").mkdir()
    with open(tmp_path / "test/complete", "wb") as file:
        file.truncate(6 << 30)
    assert unpack_images(tmp_path / "a.npz", "test_images", tmp_path / "test") == 3
