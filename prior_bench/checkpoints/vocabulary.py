"""Tokenizers of released checkpoints. The files contain no vocabulary; it is given or downloaded."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from prior_bench.checkpoints.layouts import ReleasedLayout
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.io.bounded import json_text
from prior_bench.io.panics import panics_named
from prior_bench.model_folders.growing_rules import check_growth

FIX = (
    "give it: --tokenizer PATH, or tokenizer='PATH' in the suite's row; PATH is a folder, a tokenizer.json "
    "or a vocab.txt (its words are lower-cased, as in the released code), e.g. from "
    "'hf download {name} --local-dir FOLDER' on a machine with network. Image-only tasks do not need it"
)

FILES = ("tokenizer.json", "vocab.txt")
"""Files of a folder's tokenizer; the first existing one is used."""


def tokenizer_of(layout: ReleasedLayout, given: str | Path | None = None) -> ReportTokenizer:
    """Load the tokenizer of a released text encoder.

    Args:
        layout: layout of the checkpoint.
        given: a folder, a ``tokenizer.json`` or a ``vocab.txt``; by default, the hub's cache or the hub is
            used.

    Raises:
        BenchError: the tokenizer cannot be obtained or has another size; the message says how to give it.
    """
    fix = FIX.format(name=layout.tokenizer)
    if given is None:
        if Path(layout.tokenizer).is_dir():  # transformers would take it for the hub's
            what = f"the tokenizer of {layout.tokenizer} is meant, and a folder here has that name"
            raise BenchError(what, where=layout.name, fix=f"if it is that: --tokenizer ./{layout.tokenizer}")
        try:
            found = ReportTokenizer.from_pretrained(layout.tokenizer, layout.max_tokens)
        except BenchError as error:
            what = f"the text encoder needs the tokenizer of {layout.tokenizer}: {error.what}"
            raise BenchError(what, where=layout.name, fix=fix) from error
    else:
        found = read_tokenizer(given, layout.max_tokens)
    if found.vocab_size != layout.vocabulary:
        raise BenchError(
            f"this tokenizer has {found.vocab_size} tokens, the word embedding of {layout.name} has "
            f"{layout.vocabulary} rows",
            where=given or layout.tokenizer,
            fix=f"it needs the tokenizer of {layout.tokenizer}: {fix}",
        )
    return found


def read_tokenizer(path: str | Path, max_tokens: int) -> ReportTokenizer:
    """Read the tokenizer of a folder, a ``tokenizer.json`` or a ``vocab.txt``.

    Raises:
        BenchError: the tokenizer does not exist or cannot be read.
    """
    from tokenizers import BertWordPieceTokenizer, Tokenizer

    path = Path(path)
    if path.is_dir():  # without transformers, because the folder could name code that it runs
        path = next((path / name for name in FILES if (path / name).is_file()), path)
    if not path.is_file():
        what = "contains no tokenizer" if path.is_dir() else "no such tokenizer"
        raise BenchError(what, where=path, fix=f"give a {' or '.join(FILES)}, or its folder")
    try:
        if path.suffix == ".json":
            check_growth(path)
            with panics_named("its tokenizer", path):
                return ReportTokenizer(Tokenizer.from_file(str(path)), max_tokens=max_tokens)
        with open(path, encoding="utf-8") as lines:  # a word may contain other line separators
            words = [line.rstrip("\n") for line in lines]
        vocabulary = {word: i for i, word in enumerate(words)}
        backend = BertWordPieceTokenizer(vocabulary, lowercase=_lower_cases(path.parent))
    except BenchError:
        raise
    except Exception as error:  # the library raises plain Exception
        raise BenchError(
            f"is not a tokenizer: {(str(error) or repr(error)).splitlines()[0]}", where=path
        ) from error
    return ReportTokenizer(backend, "[PAD]", max_tokens)


def _lower_cases(folder: Path) -> bool:
    """Read ``do_lower_case`` of the ``tokenizer_config.json`` next to a vocabulary; the default is True."""
    import json

    try:
        config = json.loads(json_text(folder / "tokenizer_config.json"))
    except (OSError, ValueError, RecursionError):
        return True
    return bool(config.get("do_lower_case", True)) if isinstance(config, dict) else True


@lru_cache(maxsize=2)
def placeholder(size: int, max_tokens: int) -> ReportTokenizer:
    """Make a dummy tokenizer of the right size, to build a text encoder for the shapes of its tensors."""
    from tokenizers import Tokenizer, models

    from prior_bench.encoders.tokenizer import BERT_SPECIALS

    words = [*BERT_SPECIALS.values(), *(f"word{i}" for i in range(size - len(BERT_SPECIALS)))]
    vocabulary = {word: i for i, word in enumerate(words)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=BERT_SPECIALS["unknown"]))
    return ReportTokenizer(backend, BERT_SPECIALS["pad"], max_tokens)
