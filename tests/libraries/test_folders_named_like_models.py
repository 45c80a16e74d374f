"""A folder that somebody sent may have the name of a model of the hub: it is checked like any other."""

import json
import os
from types import SimpleNamespace

import pytest
import small_transformers
import transformers as hf

from prior_bench.api import LoadContext
from prior_bench.backbones.hf import TransformersModel
from prior_bench.checkpoints.vocabulary import tokenizer_of
from prior_bench.encoders.text import TextEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.libraries.open_clip.load import load_tokenizer
from prior_bench.model_folders.checked import checked_folder
from prior_bench.model_folders.configs import configs_in

NAME = "someone/bert"


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """A sound folder with a BERT in the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / NAME
    folder.mkdir(parents=True)
    size = small_transformers.word_tokenizer(folder)
    config = hf.BertConfig(vocab_size=size, max_position_embeddings=32, **small_transformers.TEXT)
    hf.BertModel(config).save_pretrained(folder)
    return folder


def changed(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def load():
    TextEncoder(name=NAME, max_tokens=20)


def slow_pattern(folder):
    pattern = {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated", "invert": False}
    changed(folder / "tokenizer.json", pre_tokenizer=pattern)


def test_a_folder_of_a_sentence_encoder_is_read(sent):
    """As the documents use it: with files of sentence-transformers beside the model's own."""
    (sent / "data_config.json").write_text("[1, 2]")
    (sent / "modules.json").write_text("[]")
    (sent / "config_sentence_transformers.json").write_text("{}")
    (sent / "1_Pooling").mkdir()
    (sent / "1_Pooling/config.json").write_text("{}")
    load()
    assert "data_config.json" not in configs_in(sent)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: changed(f / "tokenizer_config.json", auto_map={"x": "y.Z"}, trust_remote_code=True),
            "trust_",
        ),
        (lambda f: changed(f / "config.json", attn_implementation="someone/kernels"), "attn_implementation"),
        (slow_pattern, "a regular expression"),
        (lambda f: (f / "added_tokens.json").symlink_to("/dev/zero"), "is a link to a file outside"),
        (lambda f: os.truncate(f / "tokenizer_config.json", 6 << 30), "has 6144 MiB"),
    ],
)
def test_what_no_folder_may_have_this_one_may_not(sent, spoil, message):
    spoil(sent)
    with pytest.raises(BenchError, match=message):
        load()
    with pytest.raises(BenchError, match=message):
        ReportTokenizer.from_pretrained(NAME)
    found = SimpleNamespace(config={"text_cfg": {"hf_tokenizer_name": NAME}}, place=None, reference="a/b")
    with pytest.raises(BenchError, match=message):
        load_tokenizer(found)


def test_the_tokenizer_of_a_released_checkpoint_is_never_such_a_folder(sent):
    layout = SimpleNamespace(tokenizer=NAME, max_tokens=20, vocabulary=9, name="released")
    with pytest.raises(BenchError, match=f"--tokenizer ./{NAME}"):
        tokenizer_of(layout)


def test_trust_in_the_code_of_a_model_is_not_that_in_such_a_folder(sent):
    (sent / "own.py").write_text("open('ran', 'w')\nclass Config: pass\n")
    changed(sent / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    with pytest.raises(BenchError, match=f"if the folder is meant: ./{NAME}"):
        TransformersModel("x", NAME, remote_code="bert").load(0, LoadContext())
    assert not os.path.exists("ran")


# --- files of a folder


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json", "spiece.model"])
def test_links_out_of_a_folder_are_not_read(sent, tmp_path, name):
    (tmp_path / "private").write_text("{}")
    (sent / name).unlink(missing_ok=True)
    (sent / name).symlink_to(tmp_path / "private")
    with pytest.raises(BenchError, match=f"{name}: is a link to a file outside the model's folder"):
        checked_folder(sent)


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_pipes_are_not_waited_for(sent, name):
    (sent / name).unlink(missing_ok=True)
    os.mkfifo(sent / name)
    with pytest.raises(BenchError, match=f"{name}: is no regular file"):
        load()


def test_links_of_the_cache_of_the_hub_are_read(tmp_path):
    snapshot = tmp_path / "models--a--b/snapshots/0123"
    (tmp_path / "models--a--b/blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--a--b/blobs/1").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/1")
    assert checked_folder(snapshot) == snapshot
    elsewhere = tmp_path / "models--a--b/folder/0123"  # "blobs" counts in a cache only
    elsewhere.mkdir(parents=True)
    (elsewhere / "config.json").symlink_to("../../blobs/1")
    with pytest.raises(BenchError, match="is a link to a file outside"):
        checked_folder(elsewhere)
