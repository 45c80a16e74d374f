"""Folders of models that somebody else made: their files stay their own, what they name is not fetched."""

import base64
import json
import os
import shutil
import struct

import pytest
import small_open_clip
import small_transformers
from tokenizers import Tokenizer

from prior_bench.backbones.export import export
from prior_bench.backbones.hf import TransformersModel
from prior_bench.backbones.open_clip import OpenClipModel
from prior_bench.checkpoints.vocabulary import read_tokenizer
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError, NotThereError
from prior_bench.libraries.folders import copy_model
from prior_bench.libraries.open_clip.describe import describe
from prior_bench.libraries.open_clip.load import _empty
from prior_bench.libraries.transformers.describe import describe as describe_transformers
from prior_bench.libraries.transformers.load import load_tokenizer
from prior_bench.model_folders.checked import checked_folder


@pytest.fixture
def clip(tmp_path):
    small_transformers.save("clip", tmp_path / "clip")
    return tmp_path / "clip"


@pytest.fixture
def no_hub(tmp_path, monkeypatch):
    """An empty cache; every look-up of another machine is an error of the test."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("prior_bench.encoders.hub.socket.create_connection", pytest.fail)


def changed(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def with_charsmap(folder, content):
    """Give the tokenizer of a folder a table of replacements, as SentencePiece writes it."""
    table = base64.b64encode(content).decode()
    changed(folder / "tokenizer.json", normalizer={"type": "Precompiled", "precompiled_charsmap": table})


def test_no_tokenizer_is_read_in_place_of_the_one_that_is_checked(clip):
    (clip / "other").mkdir()
    shutil.copyfile(clip / "tokenizer.json", clip / "other/tokenizer.4.0.0.json")
    changed(clip / "tokenizer_config.json", fast_tokenizer_files=["other/tokenizer.4.0.0.json"])
    with pytest.raises(BenchError, match="fast_tokenizer_files in tokenizer_config.json"):
        load_tokenizer(describe_transformers(clip))
    changed(clip / "tokenizer_config.json", fast_tokenizer_files=["tokenizer.json"])
    assert load_tokenizer(describe_transformers(clip)).max_tokens == 20


def test_a_tokenizer_on_which_its_library_stops_is_one_message(clip):
    with_charsmap(clip, b"\0")
    with pytest.raises(BenchError, match="its tokenizer is damaged: its library stopped"):
        read_tokenizer(clip, 20)


def test_so_is_one_that_stops_it_later(clip):
    with_charsmap(clip, struct.pack("<I", 4096) + b"\xff" * 4096 + b"abc")
    backend = Tokenizer.from_file(str(clip / "tokenizer.json"))
    with pytest.raises(BenchError, match="the tokenizer is damaged: its library stopped"):
        ReportTokenizer(backend, "</s>", 20)([("edema",)])
    with pytest.raises(BenchError, match="its tokenizer is damaged: its library stopped"):
        load_tokenizer(describe_transformers(clip))


def test_tokens_around_texts_are_in_the_vocabulary(clip):
    rules = json.loads((clip / "tokenizer.json").read_text())
    begin = next(iter(rules["post_processor"]["special_tokens"]))
    rules["post_processor"]["special_tokens"][begin]["ids"] = [9999]
    (clip / "tokenizer.json").write_text(json.dumps(rules))
    with pytest.raises(BenchError, match="puts the token 9999 into texts"):
        load_tokenizer(describe_transformers(clip))


@pytest.mark.parametrize("name", ["special_tokens_map.json", "chat_template.jinja", "vocab.txt"])
def test_texts_that_are_mostly_holes_are_not_read(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        file.truncate(6 << 30)
    with pytest.raises(BenchError, match=f"{name}: has 6144 MiB; at most 128"):
        checked_folder(tmp_path)


def test_links_out_of_a_folder_are_not_copied(clip, tmp_path, context):
    (tmp_path / "private").write_text("private")
    (clip / "vocab.txt").symlink_to(tmp_path / "private")
    with pytest.raises(BenchError, match=r"vocab\.txt: is a link to a file outside the model's folder"):
        export(TransformersModel("x", str(clip)).load(0, context), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_inside_a_folder_and_of_the_cache_are(tmp_path):
    snapshot = tmp_path / "models--a--b/snapshots/0123"
    (tmp_path / "models--a--b/blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--a--b/blobs/1").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/1")
    (snapshot / "again.json").symlink_to("config.json")
    copy_model(snapshot, tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == ["again.json", "config.json"]
    assert not (tmp_path / "out/config.json").is_symlink()


def named_tower(folder, name):
    """Save a model of open_clip whose config names a text tower that is not in its folder."""
    small_open_clip.save("bert", folder)
    (folder / "config.json").unlink()
    stored = json.loads((folder / "open_clip_config.json").read_text())
    stored["model_cfg"]["text_cfg"]["hf_model_name"] = name
    (folder / "open_clip_config.json").write_text(json.dumps(stored))


def test_a_folder_of_open_clip_makes_nothing_be_fetched(tmp_path, no_hub, context):
    named_tower(tmp_path / "sent", "someone/text")
    with pytest.raises(NotThereError, match="nothing is fetched because a file names it\n  fix: on a mach"):
        OpenClipModel("x", str(tmp_path / "sent")).load(0, context)


@pytest.mark.parametrize("name", ["a/b/c", "--", "someone/.."])
def test_names_that_the_hub_cannot_have_are_one_message(tmp_path, no_hub, context, name):
    named_tower(tmp_path / "sent", name)
    with pytest.raises(BenchError):
        OpenClipModel("x", str(tmp_path / "sent")).load(0, context)


def test_a_folder_of_open_clip_opens_no_other_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named_tower(tmp_path / "sent", "sent/inner")
    (tmp_path / "sent/inner").mkdir()
    with pytest.raises(BenchError, match="names the folder 'sent/inner' as a part of the model"):
        describe(str(tmp_path / "sent"))


def test_a_cached_text_tower_is_read_without_asking_the_hub(tmp_path, no_hub, monkeypatch):
    small_open_clip.save("bert", tmp_path / "sent")
    cached = tmp_path / "hub/models--ORG--bert"
    (cached / "snapshots/0123").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs/main").write_text("0123")
    (tmp_path / "sent/config.json").rename(cached / "snapshots/0123/config.json")
    monkeypatch.setattr("huggingface_hub.file_download.get_hf_file_metadata", pytest.fail)
    assert _empty(describe(str(tmp_path / "sent"))).text.transformer.config.model_type == "bert"
