"""``prior_bench.evaluate``: evaluate one model in one task on one data set, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from prior_bench.errors import BenchError, ErrorList
from prior_bench.public.planning import STORE, prepare, quiet
from prior_bench.public.results import Result, Results
from prior_bench.store.store import Store

if TYPE_CHECKING:
    from prior_bench.public.planning import Model


@overload
def evaluate(
    model: Model,
    task: str,
    data: str | Path | Mapping[str, Any],
    *,
    protocol: str | None = ...,
    fraction: float | None = ...,
    shots: int | None = ...,
    seed: int = ...,
    labels: Sequence[str] = ...,
    reader: Mapping[str, Any] | None = ...,
    overrides: Mapping[str, Any] | None = ...,
    prompts: str | Path | Mapping[str, Any] | None = ...,
    name: str | None = ...,
    tokenizer: str | Path | None = ...,
    allow_leakage: bool = ...,
    store: str | Path | Store | None = ...,
    device: str = ...,
    workers: int = ...,
    threads: int | None = ...,
    deterministic: bool = ...,
    overwrite: Literal["skip", "failed", "all"] = ...,
    say: Callable[[str], None] = ...,
) -> Result: ...


@overload
def evaluate(
    model: Model,
    task: str,
    data: str | Path | Mapping[str, Any],
    *,
    protocol: str | Sequence[str] | None = ...,
    fraction: float | Sequence[float] | None = ...,
    shots: int | Sequence[int] | None = ...,
    seed: int | Sequence[int] = ...,
    labels: Sequence[str] = ...,
    reader: Mapping[str, Any] | None = ...,
    overrides: Mapping[str, Any] | None = ...,
    prompts: str | Path | Mapping[str, Any] | None = ...,
    name: str | None = ...,
    tokenizer: str | Path | None = ...,
    allow_leakage: bool = ...,
    store: str | Path | Store | None = ...,
    device: str = ...,
    workers: int = ...,
    threads: int | None = ...,
    deterministic: bool = ...,
    overwrite: Literal["skip", "failed", "all"] = ...,
    say: Callable[[str], None] = ...,
) -> Result | Results: ...


def evaluate(
    model: Model,
    task: str,
    data: str | Path | Mapping[str, Any],
    *,
    protocol: str | Sequence[str] | None = None,
    fraction: float | Sequence[float] | None = None,
    shots: int | Sequence[int] | None = None,
    seed: int | Sequence[int] = 0,
    labels: Sequence[str] = (),
    reader: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    prompts: str | Path | Mapping[str, Any] | None = None,
    name: str | None = None,
    tokenizer: str | Path | None = None,
    allow_leakage: bool = False,
    store: str | Path | Store | None = STORE,
    device: str = "auto",
    workers: int = 0,
    threads: int | None = None,
    deterministic: bool = False,
    overwrite: Literal["skip", "failed", "all"] = "failed",
    say: Callable[[str], None] = quiet,
) -> Result | Results:
    """Evaluate a model in one task on one data set.

    Recorded evaluations do not run again: the key of a record is a hash of the weights, the data, the
    protocol, the fraction or shots, and the seed. For a module, the hash covers all weights and buffers, its
    structure, its plain attributes and the source code of its classes.

    Args:
        model: a text as for ``--backbone`` (``"timm:resnet50"``, ``"random:resnet18"``, a checkpoint,
            ``"embeddings:FILE"``, a pre-training config), a row of a suite (a dict), the result of
            :func:`load_backbone`, or an ``nn.Module``: an image encoder
            (:class:`prior_bench.api.encoders.ImageEncoderLike`; see :func:`wrap`) or a method with a text
            encoder (:class:`prior_bench.api.Method`). A module is
            copied and not changed.
        task: ``"classification"``, ``"zero_shot"``, ``"retrieval"``, ``"grounding"``, ``"segmentation"``,
            ``"detection"``, ``"throughput"``, or a task of another package.
        data: ``"chexpert"``, ``"chexpert@DIR"``, ``"sample:chexpert"``, a ``.csv`` file of your own images, a
            ``.npz`` file of MedMNIST, or a dict with ``type`` and the reader's options.
        protocol: name or file of a protocol, or a list of several; by default the task's clean protocol.
        fraction: label fraction in (0, 1], or a list of several; by default 1, or none if shots are given.
        shots: training images per class of few-shot runs (docs/few_shot.md), or a list of several.
        seed: seed of everything random, or a list of several.
        labels: label columns to use; by default all.
        reader: options of the data set's reader, e.g. ``{"missing": "skip"}``.
        overrides: fields of the protocol to change, e.g. ``{"optimizer.lr": 0.01}``.
        prompts: prompts of zero-shot classification, instead of the protocol's: name of a shipped set, a
            ``.json`` file (docs/own_pairs.md), or the content of such a file, e.g. ``{"Edema": {"positive":
            ["Pulmonary edema."], "negative": ["No edema."]}}``. All are used.
        name: label of the row, by default made from the model.
        tokenizer: tokenizer of a released checkpoint's text encoder.
        allow_leakage: whether to evaluate even if test patients were seen in training; results then state it.
        store: store of the records: a name under the results root, a folder, or None for a temporary one.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        workers: number of data loading processes.
        threads: number of threads; by default 1 for a small model, otherwise those that torch takes. Numbers
            on a CPU depend on it.
        deterministic: whether to use deterministic algorithms on a GPU as well.
        overwrite: recorded runs to run again: none (``"skip"``), ``"failed"`` ones, or ``"all"``.
        say: function that receives progress lines, e.g. ``print``.

    Returns:
        A :class:`Result`, or a :class:`Results` (a list of them) if several protocols, fractions, shots or
        seeds are given, or both fraction and shots.

    Raises:
        BenchError: arguments are wrong (all problems are reported together, before anything runs), or a run
            failed. Finished runs are kept in the store.

    Example:
        >>> import prior_bench as pb
        >>> result = pb.evaluate("timm:resnet18", task="classification", data="my.csv")
        >>> result.metrics["auroc"], result.interval("auroc")
    """
    prepared = prepare(
        model,
        task,
        data,
        protocol=protocol,
        fraction=fraction,
        shots=shots,
        seed=seed,
        labels=labels,
        reader=reader,
        overrides=overrides,
        prompts=prompts,
        name=name,
        tokenizer=tokenizer,
        allow_leakage=allow_leakage,
        store=store,
        threads=threads,
        deterministic=deterministic,
    )
    results = prepared.run(device=device, workers=workers, overwrite=overwrite, say=say)
    failed = [result for result in results if result.record.status == "failed"]
    if failed:
        errors = [
            BenchError(one.record.error, where=one.label, fix=f"the traceback is in {one.trace}")
            for one in failed
        ]
        raise errors[0] if len(errors) == 1 else ErrorList(f"{len(errors)} runs failed:", errors)
    several = any(isinstance(one, (list, tuple)) for one in (protocol, fraction, shots, seed))
    several |= fraction is not None and shots is not None
    return results if several else results[0]
