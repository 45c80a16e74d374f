"""``prior_bench.evaluate``: one model, one data set, one task family; numbers with intervals."""

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
    fraction: float = ...,
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
    fraction: float | Sequence[float] = ...,
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
    overwrite: Literal["skip", "failed", "all"] = ...,
    say: Callable[[str], None] = ...,
) -> Result | Results: ...


def evaluate(
    model: Model,
    task: str,
    data: str | Path | Mapping[str, Any],
    *,
    protocol: str | Sequence[str] | None = None,
    fraction: float | Sequence[float] = 1.0,
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
    overwrite: Literal["skip", "failed", "all"] = "failed",
    say: Callable[[str], None] = quiet,
) -> Result | Results:
    """Evaluate a model in one task on one data set.

    What is recorded in the store already is not run again: the key of a record is a hash of the weights, the
    data, the protocol, the fraction and the seed. Of a module that you pass, all weights and buffers are
    hashed, together with its structure, its plain attributes and the source of its classes.

    Args:
        model: a text as for ``--backbone`` (``"timm:resnet50"``, ``"random:resnet18"``, a checkpoint, a
            pre-training config), a row of a suite (a dict), what :func:`load_backbone` gives, or an
            ``nn.Module``: an image encoder (:class:`prior_bench.api.encoders.ImageEncoderLike`; see
            :func:`wrap`) or a method with a text tower (:class:`prior_bench.api.Method`). A module is
            copied, not changed.
        task: ``"classification"``, ``"zero_shot"``, ``"retrieval"``, ``"segmentation"``, ``"detection"``,
            ``"throughput"``, or one of another package.
        data: ``"chexpert"``, ``"chexpert@DIR"``, ``"sample:chexpert"``, a ``.csv`` file of your own images, a
            ``.npz`` file of MedMNIST, or a dict with ``type`` and the reader's options.
        protocol: name or file of a protocol, or several; by default the task's clean one.
        fraction: share of the training labels in (0, 1], or several.
        seed: of everything random, or several.
        labels: label columns to use; by default all of the data set.
        reader: options of the data set's reader, e.g. ``{"missing": "skip"}``.
        overrides: fields of the protocol to change, e.g. ``{"optimizer.lr": 0.01}``.
        prompts: of zero-shot classification, in place of the protocol's: name of a shipped set, a ``.json``
            file (docs/own_pairs.md), or what such a file holds, e.g.
            ``{"Edema": {"positive": ["Pulmonary edema."], "negative": ["No edema."]}}``. All are used.
        name: label of the row, by default made from the model.
        tokenizer: of a released checkpoint's text encoder.
        allow_leakage: evaluate also where test patients were trained on; the results then say so.
        store: where records are kept: a name under the results root, a folder, or None for a temporary one.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        workers: data loading processes.
        overwrite: which recorded runs are run again: none (``"skip"``), those that failed, or ``"all"``.
        say: takes progress lines, e.g. ``print``.

    Returns:
        A :class:`Result`; a :class:`Results` (a list of them) where several protocols, fractions or seeds
        are given.

    Raises:
        BenchError: something is wrong with the arguments (all problems together, before anything is run), or
            a run failed. Runs that had finished are kept in the store.

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
        seed=seed,
        labels=labels,
        reader=reader,
        overrides=overrides,
        prompts=prompts,
        name=name,
        tokenizer=tokenizer,
        allow_leakage=allow_leakage,
        store=store,
    )
    results = prepared.run(device=device, workers=workers, overwrite=overwrite, say=say)
    failed = [result for result in results if result.record.status == "failed"]
    if failed:
        errors = [
            BenchError(one.record.error, where=one.label, fix=f"the traceback is in {one.trace}")
            for one in failed
        ]
        raise errors[0] if len(errors) == 1 else ErrorList(f"{len(errors)} runs failed:", errors)
    several = any(isinstance(one, (list, tuple)) for one in (protocol, fraction, seed))
    return results if several else results[0]
