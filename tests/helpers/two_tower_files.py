"""Small text towers of released files: BERT, vocabulary and folder; and numbers of the authors' modules."""

import json
from pathlib import Path

import torch
from known_files import bert, cxr_bert
from official_weights import drawn, token_ids
from torch import Tensor

from prior_bench.api import TextBatch

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
"""The BERT of tests/golden/released."""
WORDS = 60
"""Number of words of its vocabulary."""
GOLDEN = Path(__file__).parents[1] / "golden" / "released"


def golden(name: str) -> dict:
    """Numbers that the authors' module gave."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def small_bert():
    """A BERT of that size."""
    return bert(WORDS, **SMALL)


def texts(lengths) -> TextBatch:
    """Texts of these lengths, of ids that a rule makes."""
    ids, mask = token_ids(WORDS, tuple(lengths))
    unknown = torch.full_like(ids, -1)
    return TextBatch(ids, mask, unknown, unknown)


def write_small_vocabulary(folder: Path) -> Path:
    """A vocabulary of that size."""
    known = "[PAD] [UNK] [CLS] [SEP] [MASK] . ! ? no the heart is enlarged clear lungs are effusion pleural"
    words = known.split() + [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words += [f"[unused{i}]" for i in range(WORDS - len(words))]
    (path := folder / "vocab.txt").write_text("\n".join(words) + "\n")
    return path


def write_cxr_bert(folder: Path, state: dict[str, Tensor] | None = None, **config) -> Path:
    """A folder of a CXR-BERT, as on the hub: it names code of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = {
        "architectures": ["CXRBertModel"],
        "auto_map": {"AutoModel": "modeling_cxrbert.CXRBertModel"},
        "model_type": "cxr-bert",
        "projection_size": 128,
        "vocab_size": WORDS,
        **SMALL,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(stated))
    (folder / "modeling_cxrbert.py").write_text("raise SystemExit('code of the hub was run')\n")
    torch.save(drawn(cxr_bert(small_bert())) if state is None else state, folder / "pytorch_model.bin")
    write_small_vocabulary(folder)
    return folder
