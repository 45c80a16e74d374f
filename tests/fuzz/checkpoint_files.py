"""Load mutated checkpoints and model folders: ``python checkpoint_files.py FOLDER FIRST COUNT``.

Prints one JSON line (``tests/fuzz/test_checkpoint_files.py``). Each mutation follows from its number alone.
The tensors and the input of what is loaded are compared with those of the undamaged file. Where a format has
no checksum (safetensors and torch's legacy files of others, configs), changed weights cannot be known; these
are counted as ``unknowable``, and they must still be finite and fit.
"""

import json
import os
import random
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
sys.path.insert(0, str(Path(__file__).parent))

import checkpoint_mutations as mutations
import checkpoint_originals as originals
import numpy as np
import torch

from prior_bench.errors import BenchError

LONGEST, MOST_MEMORY = 10.0, 2e9
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


def judged(kind: str, path: Path, original: dict, canary: Path, exempt: bool) -> tuple[str, str]:
    """Classify what happens with a mutated file: (count, what is wrong)."""
    try:
        found = outcome(kind, path)
    except BenchError as error:
        text = str(error)
        if str(path) not in text and path.name not in text and kind not in text:
            return "wrong", f"the message names no file: {text}"
        result = "refused", ""
    except Exception:  # what the campaign looks for: a user would see it as a traceback
        result = "wrong", traceback.format_exc()[-1500:]
    else:
        broken = [n for n, t in found["tensors"].items() if t.is_floating_point() and not t.isfinite().all()]
        if broken:
            result = "wrong", f"weights that are not finite were loaded: {broken[:3]}"
        elif same(found, original):
            result = "survived", ""
        elif kind in CHECKED and not exempt:
            result = "wrong", "other weights or another input were loaded without a word"
        else:
            result = "unknowable", ""
    if canary.exists():
        canary.unlink()
        result = "wrong", "code of the file was run"
    return result


def memory() -> int:
    """The most memory of this process so far, in bytes."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one[:6] == "VmHWM:"]
    return int(line.split()[1]) * 1024


def main(folder: Path, first: int, count: int) -> dict:
    """Try ``count`` mutations."""
    folder = folder.resolve()
    canary = folder / "canary"
    (work := folder / "work").mkdir()
    (work / "evil.py").write_text(f"open({str(canary)!r}, 'w')\ndef read(*a, **k): pass\nclass M: pass\n")
    os.chdir(work)  # where names in full are looked for
    made = originals.make(folder / "originals")
    undamaged = {kind: outcome(kind, path) for kind, path in made.items()}
    found: dict = {"kind": "checkpoint files", "tried": count, "refused": 0, "survived": 0, "unknowable": 0}
    found |= {"wrong": [], "lost": [], "slowest": 0.0}
    start = memory()
    for seed in range(first, first + count):
        luck = random.Random(seed)
        kind = luck.choice(sorted(made))
        case = folder / f"seed{seed}"
        path = case / made[kind].name
        case.mkdir()
        (shutil.copytree if made[kind].is_dir() else shutil.copyfile)(made[kind], path)
        how, exempt = mutations.mutate(kind, path, luck, canary)
        before, begun = memory(), time.process_time()
        result, wrong = judged(kind, path, undamaged[kind], canary, exempt)
        spent, grown = time.process_time() - begun, memory() - before
        if spent > LONGEST or grown > MOST_MEMORY:
            result, wrong = "wrong", f"{spent:.0f} s, {grown / 1e9:.1f} GB"
        if wrong:
            found["wrong"].append(f"seed {seed}: {how} of {kind}: {wrong}")
        else:
            found[result] += 1
        found["slowest"] = max(found["slowest"], round(spent, 3))
        shutil.rmtree(case)
    found["survived"] += found["unknowable"]
    found["memory"] = memory() - start
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
