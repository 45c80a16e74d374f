"""What a file of embeddings holds, in both formats, and what is refused."""

import os
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prior_bench.api import LoadContext, NeededVectors
from prior_bench.backbones.embedding_formats import read_embeddings, write_embeddings
from prior_bench.backbones.embeddings import EmbeddingFile
from prior_bench.backbones.stored_embeddings import StoredEmbeddings
from prior_bench.errors import BenchError, ErrorList

TEXTS = np.array(["No edema.", "  Edema. With a second sentence.", "Ödem"])


def arrays(tiny, **changes):
    """Vectors of all images and three texts; the first two numbers of an image are its row."""
    rng, ids = np.random.default_rng(0), tiny.table["id"].to_numpy(dtype=str)
    vectors = rng.normal(size=(len(ids), 6)).astype(np.float32)
    vectors[:, 0] = np.arange(len(ids)) + 1
    given = dict(
        ids=ids,
        vectors=vectors,
        joint=rng.normal(size=(len(ids), 4)).astype(np.float32),
        texts=TEXTS,
        text_vectors=rng.normal(size=(3, 4)).astype(np.float32),
        scale=14.0,
        bias=-2.5,
    )
    return {**given, **changes}


def shuffled(given):
    """The same entries in another order."""
    rows, texts = (np.random.default_rng(1).permutation(len(given[name])) for name in ("ids", "texts"))
    moved = {name: given[name][rows] for name in ("ids", "vectors", "joint")}
    return {**given, **moved, **{name: given[name][texts] for name in ("texts", "text_vectors")}}


def cosines(images, texts):
    return np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in texts] for a in images])


@pytest.mark.parametrize("name", ["e.npz", "e.parquet", os.fsdecode(b"\xff\xfe.parquet")], ids=ascii)
def test_vectors_come_back_by_name_from_a_shuffled_file(tiny, tmp_path, name):
    given = arrays(tiny, sizes=np.arange(len(tiny)), trained_on=("chexpert",), about={"model": "mine"})
    path = tmp_path / name
    write_embeddings(path, StoredEmbeddings(**shuffled({**given, "sizes": None})))
    found = read_embeddings(path)
    part = tiny.select(np.array([41, 3, 17]))
    assert np.array_equal(found.images(part), given["vectors"][[41, 3, 17]])
    assert np.array_equal(found.images(part, "joint"), given["joint"][[41, 3, 17]])
    asked = [("Ödem",), ("  Edema.", "With a second sentence.")]
    wanted = 14 * cosines(given["joint"][[41, 3, 17]], given["text_vectors"][[2, 1]]) - 2.5
    scores = found.similarity(part, asked)
    assert scores == pytest.approx(wanted, abs=1e-5) and scores.dtype == np.float32
    write_embeddings(path, StoredEmbeddings(**given))
    found = read_embeddings(path)
    assert found.trained_on == ("chexpert",) and found.about == {"model": "mine"}
    assert np.array_equal(found.sizes, given["sizes"]) and found.vectors.dtype == np.float32


def test_identity_is_of_the_content_alone(tiny, tmp_path):
    given = arrays(tiny)
    files = {"a.npz": given, "b.parquet": given, "c.npz": shuffled(given)}
    changed = {
        "vector": dict(vectors=given["vectors"] + np.eye(60, 6, dtype=np.float32)),
        "joint": dict(joint=given["joint"][::-1]),
        "no joint": dict(joint=None, text_vectors=np.ones((3, 6), np.float32)),
        "partner": dict(ids=given["ids"][::-1]),
        "text": dict(texts=np.array(["No edema.", " Edema. With a second sentence.", "Ödem"])),
        "scale": dict(scale=15.0),
        "bias": dict(bias=0.0),
    }
    files |= {f"{i}.npz": {**given, **change} for i, change in enumerate(changed.values())}
    identities = []
    for name, content in files.items():
        write_embeddings(tmp_path / name, StoredEmbeddings(**content))
        identities.append(EmbeddingFile("row", str(tmp_path / name)).identity(len(identities)))
    assert len(set(identities[:3])) == 1
    assert len(set(identities[2:])) == 1 + len(changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(ids=np.arange(60)), "ids: is int64 .60.; must be texts"),
        (dict(ids=np.array(["i000"] * 60)), "ids: 1 occur more than once: 'i000'"),
        (dict(ids=np.array([""] + [f"i{n}" for n in range(59)])), "ids: 1 are empty"),
        (dict(texts=np.array(["a", "a", "b"])), "texts: 1 occur more than once: 'a'"),
        (dict(vectors=np.ones((60, 6), int)), "images: is int64; must be float32"),
        (dict(vectors=np.ones((59, 6))), r"images: is \[59, 6\]; must be \[60, D\]"),
        (dict(vectors=np.ones(60)), r"images: is \[60\]; must be"),
        (dict(vectors=np.ones((60, 0))), r"images: is \[60, 0\]; must be"),
        (dict(vectors=np.full((60, 6), 1e300)), "images: 60 vectors contain NaN or infinity: 'i000', 'i001'"),
        (dict(joint=np.eye(60, 4) + np.eye(60, 4, 1)), "joint: 56 vectors contain only zeros: 'i004'"),
        (dict(text_vectors=np.array([[np.nan] * 4] * 3)), "text_vectors: 3 vectors contain NaN"),
        (dict(text_vectors=np.ones((3, 5))), "text_vectors: have 5 numbers, but those of joint have 4"),
        (dict(joint=None), "have 4 numbers, but those of images have 6\n.*as joint"),
        (dict(text_vectors=None), "texts and text_vectors belong together"),
        (dict(texts=np.empty(0, str)), "texts and text_vectors belong together"),
        (dict(scale=0.0), "scale: is 0.0; must be a positive number"),
        (dict(bias=np.nan), "bias: is nan; must be a number"),
        (dict(sizes=np.ones(60)), r"sizes: is float64 \[60\]; must be one integer"),
        (dict(ids=np.empty(0, str), vectors=np.ones((0, 6)), joint=np.ones((0, 4))), "ids: is empty"),
    ],
)
def test_arrays_that_cannot_be_vectors_are_refused_by_name(tiny, change, message):
    with pytest.raises(BenchError, match=message):
        StoredEmbeddings(**arrays(tiny, **change))


def test_all_problems_are_reported_together(tiny):
    with pytest.raises(ErrorList) as caught:
        StoredEmbeddings(**arrays(tiny, ids=np.array(["x"] * 60), bias=np.inf, vectors=np.zeros((60, 2))))
    assert len(caught.value.errors) == 3


def test_half_and_double_precision_become_single(tiny):
    single = StoredEmbeddings(**arrays(tiny))
    double = StoredEmbeddings(**arrays(tiny, vectors=arrays(tiny)["vectors"].astype(np.float64)))
    assert double.content == single.content
    half = StoredEmbeddings(**arrays(tiny, vectors=arrays(tiny)["vectors"].astype(np.float16)))
    assert half.vectors.dtype == np.float32 and half.content != single.content


def save_objects(path):
    np.savez(path, ids=np.array(["a"], dtype=object), images=np.ones((1, 2)))


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.npz", save_objects, "cannot be read as a file of embeddings: .*allow_pickle"),
        ("a.npz", lambda path: path.write_bytes(b"no archive"), "cannot be read as a file of embeddings"),
        ("a.npz", lambda path: np.savez(path, ids=np.array(["a"])), "images: is missing"),
        ("a.npz", lambda path: np.savez(path, id=np.array(["a"])), "unknown array 'id'.*\n.*ids"),
        ("a.npz", lambda p: np.savez(p, ids=["a"], images=[[1.0]], about="{"), "about: not JSON"),
        ("a.npz", lambda p: np.savez(p, ids=["a"], images=[[1.0]], scale=[1.0, 2.0]), "scale: is float64"),
        ("a.parquet", lambda path: path.write_bytes(b"PAR1"), "cannot be read as a file of embeddings"),
        ("a.csv", lambda path: path.write_text("id"), "must end in .npz or .parquet"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(BenchError, match=message):
        read_embeddings(tmp_path / name)
    with pytest.raises(BenchError, match="absent.npz: no such file of embeddings"):
        read_embeddings(tmp_path / "absent.npz")


VECTORS = pa.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", "b"]}, "image: is missing"),
        ({"id": ["a", "b"], "vector": VECTORS}, "unknown column 'vector'"),
        ({"id": [1, 2], "image": VECTORS}, "id: is int64; must be text"),
        ({"id": ["a", "b"], "image": [[1.0], [1.0, 2.0]]}, r"different lengths \(1 to 2\)"),
        ({"id": ["a", "b"], "image": [[1], [2]]}, "must be lists of float32"),
        ({"id": ["a", "b"], "image": [[1.0], None]}, "1 rows have no value"),
        ({"id": ["a", "b"], "image": [[1.0], [None]]}, "1 vectors contain NaN or infinity: 'b'"),
        ({"id": ["a", None], "image": VECTORS}, "row 1: must have either an id or a text"),
        ({"id": ["a", "b"], "text": ["t", None], "image": VECTORS}, "row 0: must have either"),
    ],
)
def test_parquet_files_that_are_none_are_refused(tmp_path, columns, message):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(BenchError, match=message):
        read_embeddings(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "must be a JSON object"), ('{"scael": 1}', "unknown entry 'scael'")],
)
def test_metadata_of_parquet_that_are_none_are_refused(tmp_path, text, message):
    table = pa.table({"id": ["a", "b"], "image": VECTORS})
    pq.write_table(table.replace_schema_metadata({"prior_bench": text}), tmp_path / "a.parquet")
    with pytest.raises(BenchError, match=message):
        read_embeddings(tmp_path / "a.parquet")


def test_parquet_from_pandas(tmp_path):
    images = pd.DataFrame({"id": ["a", "b"], "image": list(np.eye(2, dtype=np.float32))})
    texts = pd.DataFrame({"text": ["t"], "text_vector": [[1.0, 0.0]]})
    pd.concat([texts, images]).to_parquet(tmp_path / "a.parquet")
    found = read_embeddings(tmp_path / "a.parquet")
    assert found.ids.tolist() == ["a", "b"] and found.joint is None and found.texts.tolist() == ["t"]
    assert np.array_equal(found.vectors, np.eye(2)) and np.array_equal(found.text_vectors, [[1, 0]])


def test_missing_vectors_are_counted_and_named(tiny):
    given = arrays(tiny)
    few = {name: given[name][5:] for name in ("ids", "vectors", "joint")}
    stored = StoredEmbeddings(**{**given, **few}, where="few.npz")
    needed = NeededVectors(tiny, [("No edema.",), ("No  edema.",), ("Edema", "x" * 99)])
    with pytest.raises(BenchError) as caught:
        stored.require(needed, "--data my.csv")
    text = str(caught.value)
    assert "few.npz" in text and "5 of 60 images have no vector: 'i000', 'i001', 'i002', …" in text
    assert f"2 of 3 texts have no vector: 'No  edema.', 'Edema {'x' * 53}…'\n" in text
    assert all(f"prior-bench embed --list {what} --data my.csv" in text for what in ("ids", "texts"))
    stored.require(NeededVectors(tiny.select(np.arange(5, 60)), [("Ödem",)]))
    with pytest.raises(BenchError, match="5 of 60 images have no vector"):
        stored.images(tiny)
    with pytest.raises(BenchError, match="1 of 1 texts have no vector"):
        stored.similarity(tiny, [("edema",)])


def test_images_of_another_size_are_refused(tiny):
    sizes = np.array([tiny.path(row).stat().st_size for row in range(len(tiny))])
    StoredEmbeddings(**arrays(tiny, sizes=sizes)).require(NeededVectors(tiny))
    sizes[7], sizes[8] = sizes[7] + 1, -1  # a size that is not known is not compared
    with pytest.raises(BenchError, match=r"1 image files are not those .*: 'i007'"):
        StoredEmbeddings(**arrays(tiny, sizes=sizes)).require(NeededVectors(tiny))
    tiny.path(7).unlink()
    StoredEmbeddings(**arrays(tiny, sizes=sizes)).require(NeededVectors(tiny))


def test_the_backbone_has_vectors_and_no_network(tiny, tmp_path):
    path = tmp_path / "mine.npz"
    write_embeddings(path, StoredEmbeddings(**arrays(tiny)))
    source = EmbeddingFile("Mine", str(path))
    source.check()
    backbone = source.load(0, LoadContext())
    assert backbone.image_encoder.dim == 6 and source.has_text and backbone.identity == source.identity(1)
    assert source.confirms(0, {"backbone": backbone.provenance}, LoadContext()) == ""
    assert source.confirms(0, {"backbone": {}}, LoadContext())
    for encode in (backbone.image_encoder, backbone.method.encode_image, backbone.method.encode_text):
        with pytest.raises(BenchError, match="only vectors are stored"):
            encode(None)
    with pytest.raises(BenchError, match="Mine: stored embeddings contain no network, which an export needs"):
        backbone.require_network("an export")
    assert len(pickle.dumps(source)) < 1_000 and pickle.loads(pickle.dumps(source)).identity(0)
    only_images = {name: arrays(tiny)[name] for name in ("ids", "vectors")}
    write_embeddings(path, StoredEmbeddings(**only_images))
    source = EmbeddingFile("Mine", str(path))
    assert not source.has_text and source.text_problem and source.load(0, LoadContext()).method is None


def test_exposure_is_what_the_file_states(tiny, tmp_path):
    exposure = {
        "training_data": [{"dataset": "chexpert", "split_rule": "default", "splits": ["train"]}],
        "known_exposure": [["mimic_cxr", "was seen"]],
    }
    given = arrays(tiny, trained_on=("chexpert_5x200",), about={"exposure": exposure, "model": "mine"})
    for name in ("a.npz", "a.parquet"):
        write_embeddings(tmp_path / name, StoredEmbeddings(**given))
        source = EmbeddingFile("Mine", str(tmp_path / name))
        source.check()
        assert source.training_data() == exposure["training_data"]
        first, second = source.known_exposure()
        assert first == ("mimic_cxr", "was seen")
        assert second[0] == "chexpert" and "trained on chexpert_5x200" in second[1], "the patients' space"
        assert source.load(0, LoadContext()).provenance["of"] == {"model": "mine"}
    write_embeddings(tmp_path / "b.npz", StoredEmbeddings(**{**given, "trained_on": ("chexprt",)}))
    with pytest.raises(BenchError, match="unknown data set 'chexprt'"):
        EmbeddingFile("Mine", str(tmp_path / "b.npz")).check()
    write_embeddings(
        tmp_path / "c.npz", StoredEmbeddings(**{**given, "about": {"exposure": {"training_data": 1}}})
    )
    with pytest.raises(BenchError, match="is not what prior-bench embed writes: training_data"):
        EmbeddingFile("Mine", str(tmp_path / "c.npz")).training_data()


def test_a_group_of_texts_has_the_score_of_its_mean_vector(tiny):
    found = StoredEmbeddings(**arrays(tiny))
    texts = [(str(text),) for text in found.texts]
    scores = found.similarity(tiny, texts, [[0, 1], [1]])
    assert scores.shape == (len(tiny), len(texts) + 2)
    first, second = (v / np.linalg.norm(v) for v in found.text_vectors[:2])
    mean = (first + second) / np.linalg.norm(first + second)
    image = found.images(tiny, "joint")
    image = image / np.linalg.norm(image, axis=1, keepdims=True)
    assert np.allclose(scores[:, -2], found.scale * (image @ mean) + found.bias, atol=1e-5)
    assert np.allclose(scores[:, -1], scores[:, 1], atol=1e-6)
