"""The tokenizer of a released checkpoint: such files hold no vocabulary, so it is given or fetched."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from prior_bench.checkpoints.layouts import ReleasedLayout
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError

FIX = (
    "give it: --tokenizer PATH, or tokenizer='PATH' in the suite's row; PATH is a folder, a tokenizer.json "
    "or a vocab.txt (its words are lower-cased, as in the released code), e.g. from "
    "'hf download {name} --local-dir FOLDER' on a machine with network. Image-only tasks need none"
)

FILES = ("tokenizer.json", "vocab.txt")
"""Where a folder keeps its tokenizer, the first that is there."""


def tokenizer_of(layout: ReleasedLayout, given: str | Path | None = None) -> ReportTokenizer:
    """The tokenizer of a released text encoder.

    Args:
        layout: of the checkpoint.
        given: a folder, a ``tokenizer.json`` or a ``vocab.txt``; without it, the hub's cache or the hub.

    Raises:
        BenchError: it cannot be obtained or is another one; says how to give it.
    """
    fix = FIX.format(name=layout.tokenizer)
    if given is None:
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
            fix=f"it needs that of {layout.tokenizer}: {fix}",
        )
    return found


def read_tokenizer(path: str | Path, max_tokens: int) -> ReportTokenizer:
    """The tokenizer of a folder, a ``tokenizer.json`` or a ``vocab.txt``.

    Raises:
        BenchError: there is none, or it cannot be read.
    """
    from tokenizers import BertWordPieceTokenizer, Tokenizer

    path = Path(path)
    if path.is_dir():  # not through transformers, for which a folder may name code of its own
        path = next((path / name for name in FILES if (path / name).is_file()), path)
    if not path.is_file():
        what = "holds no tokenizer" if path.is_dir() else "no such tokenizer"
        raise BenchError(what, where=path, fix=f"{' or '.join(FILES)}, or the folder of one")
    try:
        if path.suffix == ".json":
            return ReportTokenizer(Tokenizer.from_file(str(path)), max_tokens=max_tokens)
        with open(path, encoding="utf-8") as lines:  # a line may hold other characters that end lines
            words = [line.rstrip("\n") for line in lines]
        vocabulary = {word: i for i, word in enumerate(words)}
        backend = BertWordPieceTokenizer(vocabulary, lowercase=_lower_cases(path.parent))
    except BenchError:
        raise
    except Exception as error:  # the library raises Exception itself
        raise BenchError(
            f"is not a tokenizer: {(str(error) or repr(error)).splitlines()[0]}", where=path
        ) from error
    return ReportTokenizer(backend, "[PAD]", max_tokens)


def _lower_cases(folder: Path) -> bool:
    """What the ``tokenizer_config.json`` next to a vocabulary says; without one True, as in transformers."""
    import json

    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(config.get("do_lower_case", True))


@lru_cache(maxsize=2)
def placeholder(size: int, max_tokens: int) -> ReportTokenizer:
    """A tokenizer of the right size and no use but to build a text encoder whose shapes are wanted."""
    from tokenizers import Tokenizer, models

    from prior_bench.encoders.tokenizer import BERT_SPECIALS

    words = [*BERT_SPECIALS.values(), *(f"word{i}" for i in range(size - len(BERT_SPECIALS)))]
    vocabulary = {word: i for i, word in enumerate(words)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=BERT_SPECIALS["unknown"]))
    return ReportTokenizer(backend, BERT_SPECIALS["pad"], max_tokens)
