"""Load mutated checkpoints and model folders: ``python checkpoint_files.py FOLDER FIRST COUNT``.

See :mod:`seeds`. The tensors and the input of what is loaded are compared with those of the undamaged file.
Where a format has no checksum (safetensors and torch's legacy files of others, configs), changed weights
cannot be known; these are counted as ``unknowable``, and they must still be finite and fit.
"""

import os
import random
import shutil
import sys
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import checkpoint_mutations as mutations
import checkpoint_originals as originals
import numpy as np
import torch
from seeds import Attempt, Tried, campaign

from prior_bench.errors import BenchError

CHECKED = ("native", "zip", "lightning")
"""Kinds of files with checksums: what they give must be what was written."""


def outcome(kind: str, path: Path) -> dict:
    """The tensors and the input that a row of a suite gets from a file or folder; its data are looked at."""
    from prior_bench.api import LoadContext
    from prior_bench.backbones.describe import as_text, describe
    from prior_bench.suites.leakage import exposure_of, leaks_of_pretraining

    source = originals.source_of(kind, path)
    if kind not in ("hf", "open_clip"):
        try:
            as_text(describe(path))
        except BenchError:
            pass
    source.check()
    backbone = source.load(0, LoadContext())
    exposure_of(source)
    leaks_of_pretraining(source, originals.DATA, originals.MANIFEST)
    module = backbone.method if backbone.method is not None else backbone.image_encoder
    found = {name: tensor for name, tensor in module.state_dict().items()}
    return {"tensors": found, "input": backbone.input.to_dict(), "identity": source.identity(0)}


def same(one: dict, two: dict) -> bool:
    """Whether two outcomes are equal."""
    given, wanted = one["tensors"], two["tensors"]
    equal = given.keys() == wanted.keys() and all(torch.equal(given[n], wanted[n]) for n in wanted)
    return equal and one["input"] == two["input"]


def judged(kind: str, path: Path, original: dict, canary: Path, exempt: bool) -> Tried:
    """Say what happens with a mutated file; a traceback is left to the loop."""
    try:
        found = outcome(kind, path)
    except BenchError as error:
        text = str(error)
        named = str(path) in text or path.name in text or kind in text
        told = Tried(True, wrong=[] if named else [f"the message names no file: {text}"])
    else:
        broken = [n for n, t in found["tensors"].items() if t.is_floating_point() and not t.isfinite().all()]
        if broken:
            told = Tried(False, wrong=[f"weights that are not finite were loaded: {broken[:3]}"])
        elif same(found, original):
            told = Tried(False)
        elif kind in CHECKED and not exempt:
            told = Tried(False, wrong=["other weights or another input were loaded without a word"])
        else:
            told = Tried(False, unknowable=True)
    if canary.exists():
        canary.unlink()
        told = Tried(False, wrong=["code of the file was run"])
    return told


def prepare(folder: Path) -> Attempt:
    """Write the files that are mutated, and the code that they may name."""
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    canary = folder / "canary"
    (work := folder / "work").mkdir()
    (work / "evil.py").write_text(f"open({str(canary)!r}, 'w')\ndef read(*a, **k): pass\nclass M: pass\n")
    os.chdir(work)  # where names in full are looked for
    made = originals.make(folder / "originals")
    undamaged = {kind: outcome(kind, path) for kind, path in made.items()}

    def attempt(seed: int) -> Tried:
        luck = random.Random(seed)
        kind = luck.choice(sorted(made))
        case = folder / f"seed{seed}"
        path = case / made[kind].name
        case.mkdir()
        (shutil.copytree if made[kind].is_dir() else shutil.copyfile)(made[kind], path)
        try:
            how, exempt = mutations.mutate(kind, path, luck, canary)
            told = judged(kind, path, undamaged[kind], canary, exempt)
        finally:
            shutil.rmtree(case)
        return told._replace(wrong=[f"{how} of {kind}: {text}" for text in told.wrong])

    return attempt


if __name__ == "__main__":
    campaign("checkpoint files", prepare)
