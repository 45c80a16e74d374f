"""Time and memory of one PRIOR step, part by part: ``python -m benchmarks.prior_step``.

Forward and backward after the encoders, on random features of reports of 4 to 12 sentences: each part and
each stage's total, beside a plain implementation that loops over reports and sentences (same numbers, checked
first; the image decoder there up-samples, then convolves), and relative to the encoders' own forward and
backward (ResNet-50 at 224 pixels, BERT-base, random weights). Runs alternate; ratios are medians over pairs.
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks import prior_loop
from benchmarks.measuring import in_turns, median_ratio, operators, peak_memory
from benchmarks.prior_inputs import Inputs, make_inputs, make_model
from benchmarks.prior_parts import heads, parts, step
from prior_bench.prior.model import PRIOR

STAGES = (1, 2, 3)
COUNTED_AT = (8, 64)
COUNTED_SIZE = {"dim": 32, "image_size": 28}
"""Operators do not depend on widths."""
HEAVY = ("image decoder", "report decoder", "stage 3")
MEGA = 2**20

Call = Callable[[], object]


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    show_operators()
    inputs = make_inputs(options.batch, options.dim, options.image_size)
    encoders = 0.0 if options.without_encoders else show_encoders(inputs, options.repeats_heavy)
    show_steps(inputs, options, encoders)
    show_memory(options)
    show_checkpointing(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--image-size", type=int, default=224, help="7 times a power of two")
    parser.add_argument("--layers", type=int, default=8, help="of the report decoder")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--repeats-heavy", type=int, default=1, help=f"of {', '.join(HEAVY)}, encoders")
    parser.add_argument("--memory-batches", type=int, nargs=3, default=(4, 8, 16), metavar="B")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--without-encoders", action="store_true")
    return parser


# --- operators ------------------------------------------------------------------------------------------


def operators_of(stage: int, batch: int, function: Callable[[PRIOR, Inputs], object]) -> int:
    """Dispatched by forward and backward of a stage's heads on small features."""
    model = make_model(stage=stage, layers=2, **COUNTED_SIZE)
    inputs = make_inputs(batch, **COUNTED_SIZE)
    return operators(partial(_step, model, inputs, function))


def show_operators() -> None:
    few, many = COUNTED_AT
    print(f"Operators of a step, B={few} -> {many} (report decoder of 2 layers)")
    for stage in STAGES:
        ours = [operators_of(stage, batch, heads) for batch in COUNTED_AT]
        loop = [operators_of(stage, batch, prior_loop.losses) for batch in COUNTED_AT]
        print(f"  stage {stage}   ours {ours[0]} -> {ours[1]}   loop {loop[0]} -> {loop[1]}")


# --- time -----------------------------------------------------------------------------------------------


def show_encoders(inputs: Inputs, repeats: int) -> float:
    """Print and return the seconds of the encoders' forward and backward."""
    total = 0.0
    print(f"\nEncoders, forward and backward, B={len(inputs.images)}, {inputs.index.shape[1]} tokens")
    for name, call in _encoders(inputs).items():
        times, memory = _measured({name: call}, repeats, warm_up=False)
        time, memory = statistics.median(times[name]), memory[name]
        total += time
        print(f"  {name:24}{time * 1e3:9.1f} ms{memory:9.0f} MiB")
    return total


def _encoders(inputs: Inputs) -> dict[str, Call]:
    from transformers import BertConfig, BertModel

    from prior_bench.encoders.image import ImageEncoder

    image = ImageEncoder("resnet50", in_channels=1, pool="attention").train()
    text = BertModel(BertConfig(), add_pooling_layer=False).train()
    images, mask = inputs.images, inputs.index > 0
    ids = torch.randint(0, 30000, inputs.index.shape, generator=torch.Generator().manual_seed(2))
    return {
        "ResNet-50": lambda: step(image, lambda x: image(x)[:2], (images,)),
        "BERT-base": lambda: step(text, lambda x: text(x, mask.long()).last_hidden_state, (ids,)),
    }


def show_steps(inputs: Inputs, options: argparse.Namespace, encoders: float) -> None:
    print(f"\nAfter the encoders, forward and backward, B={options.batch}, D={options.dim}")
    print(f"  {'':24}{'ours':>12}{'of encoders':>13}{'peak':>11}{'loop':>12}{'peak':>11}{'loop/ours':>11}")
    model = _model(options, 3)
    for name, part in parts(model, inputs).items():
        calls = {"ours": partial(step, model, part.ours, part.inputs)}
        if part.loop:
            calls["loop"] = partial(step, model, part.loop, part.loop_inputs)
        _row(name, calls, options, encoders)
    for stage in STAGES:
        model = _model(options, stage)
        ways = {"ours": heads, "loop": prior_loop.losses}
        assert_same(model, inputs)
        calls = {name: partial(_step, model, inputs, way) for name, way in ways.items()}
        _row(f"stage {stage}", calls, options, encoders)


def _row(name: str, calls: dict[str, Call], options: argparse.Namespace, encoders: float) -> None:
    heavy = name in HEAVY
    times, memory = _measured(calls, options.repeats_heavy if heavy else options.repeats, warm_up=not heavy)
    cells = {w: f"{statistics.median(t) * 1e3:9.1f} ms{memory[w]:7.0f} MiB" for w, t in times.items()}
    ours, peak = cells["ours"][:12], cells["ours"][12:]
    share = f"{statistics.median(times['ours']) / encoders:11.1%}" if encoders else ""
    ratio = f"{median_ratio(times['loop'], times['ours']):9.2f} x" if "loop" in times else ""
    print(f"  {name:24}{ours}{share:>13}{peak}{cells.get('loop', ''):>23}{ratio}", flush=True)


def _measured(
    calls: dict[str, Call], repeats: int, warm_up: bool = True
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds, and MiB of a run before them; without one, of the timed runs, which take seconds."""
    memory = {}

    def tracked(name: str) -> None:
        memory[name] = peak_memory(calls[name]) / MEGA

    tracking = {name: partial(tracked, name) for name in calls}
    if not warm_up:
        return in_turns(tracking, repeats), memory
    for call in tracking.values():
        call()
    return in_turns(calls, repeats), memory


def total(model: PRIOR, terms: dict[str, Tensor]) -> Tensor:
    return sum(model.weight(name) * term for name, term in terms.items())


def _step(model: PRIOR, inputs: Inputs, function: Callable[[PRIOR, Inputs], dict[str, Tensor]]) -> object:
    return step(model, lambda *_: total(model, function(model, inputs)), inputs.features)


def assert_same(model: PRIOR, inputs: Inputs) -> None:
    """Both ways are one function: the same terms."""
    with torch.no_grad():
        ours, loop = heads(model, inputs), prior_loop.losses(model, inputs)
    torch.testing.assert_close(ours, loop, rtol=1e-3, atol=1e-5)


# --- memory ---------------------------------------------------------------------------------------------


def show_memory(options: argparse.Namespace) -> None:
    """Peak at three batches; per pair it must not grow."""
    batches = options.memory_batches
    print(f"\nPeak memory of the heads at B={', '.join(map(str, batches))}; growth per pair between them")
    for stage in STAGES:
        peaks = [_heads_memory(options, stage, batch) for batch in batches]
        slopes = [(peaks[i + 1] - peaks[i]) / (batches[i + 1] - batches[i]) for i in (0, 1)]
        shown = "".join(f"{peak:9.0f} MiB" for peak in peaks)
        print(f"  stage {stage}{shown}   {slopes[0]:.2f}, {slopes[1]:.2f} MiB", flush=True)


def show_checkpointing(options: argparse.Namespace) -> None:
    """What ``checkpoint_decoders`` saves and costs in stage 3."""
    batch = options.memory_batches[1]
    inputs = make_inputs(batch, options.dim, options.image_size)
    calls = {
        name: partial(_step, _model(options, 3, checkpoint), inputs, heads)
        for name, checkpoint in (("kept", False), ("recomputed", True))
    }
    times, memory = _measured(calls, options.repeats_heavy, warm_up=False)
    cost = median_ratio(times["recomputed"], times["kept"])
    print(f"\nStage 3 with checkpoint_decoders, B={batch}")
    print(f"  {cost:.2f} x the time, {memory['recomputed']:.0f} MiB instead of {memory['kept']:.0f} MiB")


def _heads_memory(options: argparse.Namespace, stage: int, batch: int) -> float:
    inputs = make_inputs(batch, options.dim, options.image_size)
    return peak_memory(partial(_step, _model(options, stage), inputs, heads)) / MEGA


def _model(options: argparse.Namespace, stage: int, checkpoint: bool = False) -> PRIOR:
    return make_model(options.dim, stage, options.image_size, options.layers, checkpoint)


if __name__ == "__main__":
    main()
