"""What a step costs, counted and not timed: ``python -m benchmarks.regression [--write]``.

Counts do not depend on the machine or on its load, so that a test can compare them with those in
``benchmarks/regression.json``. They depend on torch, whose version is stored with them.

- A training step of each method (PRIOR: of each stage) with small encoders: operators dispatched, bytes of
  their results, and most bytes that live at once.
- A table with tests: how often predictions are read, and how many resamples are drawn.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from benchmarks.measuring import CountOperators, peak_memory
from prior_bench.api import Method, PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.registry import METHODS

STORED = Path(__file__).with_suffix(".json")
REPORTS = [
    ("The heart is large.", "No effusion.", "The lungs are clear."),
    ("No pneumothorax.",),
    ("Small left effusion.", "No effusion."),
    ("Left basal atelectasis is seen.", "Clear on the right."),
]
SIDE = 64
TABLE = {"rows": 4, "seeds": 3, "images": 60}
"""Size of the table, whose columns are those of :mod:`benchmarks.table_tests`."""


class CountBytes(CountOperators):
    """Counts operators and the bytes of their results; a view counts like a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = super().__torch_dispatch__(function, types, args, kwargs)
        self.bytes += sum(one.nbytes for one in tree_leaves(result) if isinstance(one, Tensor))
        return result


def small(method: str, **changes: Any) -> tuple[Method, PretrainBatch]:
    """Build a method with encoders of a few thousand weights, and a batch for it."""
    torch.manual_seed(0)
    tokenizer = ReportTokenizer.train(REPORTS, 120, 32)
    text = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    image = dict(model_name="resnet18", in_channels=1, model_args=dict(channels=(8, 8, 16, 16)))
    if method == "prior":
        image["pool"] = "attention"
        changes |= dict(prototypes=12, queries=4, decoder_layers=1, decoder_heads=2)
    built = METHODS.build(
        dict(
            type=method,
            image_encoder=dict(image, input=dict(size=SIDE)),
            text_encoder=dict(config=text, tokenizer=tokenizer),
            embed_dim=16,
            **changes,
        )
    )
    images = torch.randn(len(REPORTS), 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return built.train(), PretrainBatch(images, tokenizer(REPORTS))


def step_counts(method: Method, batch: PretrainBatch) -> dict[str, int]:
    """Count one step, forward and backward."""

    def step() -> None:
        torch.manual_seed(0)
        method.zero_grad(set_to_none=True)
        terms = method.loss(batch)
        sum(value for name, value in terms.items() if name.startswith("loss")).backward()

    step()  # what is made once, e.g. buffers, is not counted
    with CountBytes() as counter:
        step()
    return {"operators": counter.count, "bytes": counter.bytes, "peak": peak_memory(step)}


def table_counts() -> dict[str, int]:
    """Count what a table with tests reads and draws."""
    from benchmarks.table_tests import make, measure
    from prior_bench.report.runs import draws
    from prior_bench.statistics import bootstrap
    from prior_bench.store.store import Store

    read, drawn = Store.predictions, bootstrap.bootstrap
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict("os.environ", PRIOR_BENCH_CACHE=str(Path(folder) / "cache")),
        patch.object(Store, "predictions", autospec=True, side_effect=read) as reads,
        patch.object(bootstrap, "bootstrap", side_effect=drawn) as resampled,
    ):
        root = Path(folder) / "store"
        draws.load_predictions.cache_clear()
        make(root, **TABLE)
        measure(root)
        return {"predictions read": reads.call_count, "bootstraps": resampled.call_count}


def counts() -> dict[str, Any]:
    """Return all counts, and the version of torch."""
    steps = {name: step_counts(*small(name)) for name in ("convirt", "gloria", "mgca")}
    for stage in (1, 2, 3):
        steps[f"prior, stage {stage}"] = step_counts(*small("prior", stage=stage))
    return {"torch": torch.__version__.partition("+")[0], "steps": steps, "table": table_counts()}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"store the counts in {STORED.name}")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = counts()
    before = json.loads(STORED.read_text("utf-8")) if STORED.is_file() else {"steps": {}}
    print("| step | operators | stored | bytes of results | stored | peak, bytes | stored |")
    print("|:--|--:|--:|--:|--:|--:|--:|")
    for name, one in found["steps"].items():
        old = before["steps"].get(name, {})
        cells = [f"{value:,} | {old.get(kind, 0):,}" for kind, value in one.items()]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\ntable of {TABLE}: {found['table']}; stored: {before.get('table')}")
    if args.write:
        STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
