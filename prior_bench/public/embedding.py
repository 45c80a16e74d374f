"""``prior_bench.embed``: write the vectors of a backbone's images and texts to a file of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.api import NeededVectors
from prior_bench.errors import BenchError, ErrorList
from prior_bench.public.planning import data_reference, prompt_changes, quiet, source_of
from prior_bench.registry import TASKS
from prior_bench.suites import protocols as shipped
from prior_bench.suites.stored import pixels_needed

if TYPE_CHECKING:
    from prior_bench.api import Protocol
    from prior_bench.data.manifest import Manifest
    from prior_bench.data.texts.prompts import PromptSet
    from prior_bench.public.planning import Model


def embed(
    model: Model,
    data: str | Path | Mapping[str, Any],
    output: str | Path,
    *,
    protocols: Sequence[str] = (),
    prompts: Sequence[str | Path | Mapping[str, Any]] = (),
    labels: Sequence[str] = (),
    reader: Mapping[str, Any] | None = None,
    tokenizer: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int = 0,
    say: Callable[[str], None] = quiet,
) -> Path:
    """Write the vectors of images and texts that evaluations of a model need (docs/embeddings.md).

    Args:
        model: as for :func:`prior_bench.evaluate`.
        data: as for :func:`prior_bench.evaluate`.
        output: a ``.npz`` or ``.parquet`` file that does not exist yet.
        protocols: protocols whose images and texts are embedded; by default, all images and, if the model has
            a text encoder, the reports of the test split.
        prompts: prompt sets whose texts are embedded too; the protocols use them instead of their own.
        labels: label columns to use; by default all.
        reader: options of the data set's reader.
        tokenizer: tokenizer of a released checkpoint's text encoder.
        seed: seed of weights that are drawn or trained.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        workers: number of data loading processes.
        say: function that receives remarks, e.g. that a method's scores are no cosine of such vectors.

    Returns:
        The path of the file, for ``"embeddings:FILE"``.

    Raises:
        BenchError: the file exists, the model is itself a file of embeddings, or the arguments are wrong.

    Example:
        >>> import prior_bench as pb
        >>> pb.embed("random:resnet18", "my.csv", "my.npz")
        >>> pb.evaluate("embeddings:my.npz", task="classification", data="my.csv").metrics
    """
    from prior_bench import paths
    from prior_bench.api import RunContext
    from prior_bench.backbones.embed import compute_embeddings
    from prior_bench.backbones.embedding_formats import require_format, write_embeddings
    from prior_bench.public.backbones import load
    from prior_bench.runtime import pick_device, threads, usual_threads
    from prior_bench.suites.leakage import exposure_of

    require_format(output)
    if Path(output).exists():
        raise BenchError("already exists", where=output, fix="give another file with -o")
    source = source_of(model, tokenizer)
    if getattr(source, "stored", None) is not None:
        raise BenchError("is a file of embeddings already", where=source.name, fix="give the model itself")
    needed = needed_vectors(data, protocols=protocols, prompts=prompts, labels=labels, reader=reader)
    if needed.texts and not source.has_text:
        problem = getattr(source, "text_problem", "")
        if problem or protocols or prompts:  # without them, nobody has asked for texts
            say(problem or "texts left out: the backbone has no text encoder")
        needed = replace(needed, texts=[])
    device = pick_device(device)
    backbone = load(source, seed, device, workers)
    context = RunContext(seed=seed, device=device, workers=workers, cache_dir=paths.cache_root())
    with threads(usual_threads(backbone.parameters)):
        stored, notes = compute_embeddings(backbone, needed, context, exposure_of(source))
    write_embeddings(output, stored)
    for note in notes:
        say(note)
    return Path(output)


def needed_vectors(
    data: str | Path | Mapping[str, Any],
    *,
    protocols: Sequence[str] = (),
    prompts: Sequence[str | Path | Mapping[str, Any]] = (),
    labels: Sequence[str] = (),
    reader: Mapping[str, Any] | None = None,
) -> NeededVectors:
    """Return the images and texts that evaluations need; for the arguments, see :func:`embed`.

    Raises:
        BenchError: the data set or a protocol is unknown or does not fit, or a protocol needs the images
            themselves (all protocols are reported together).
    """
    from prior_bench.data.open import open_dataset
    from prior_bench.data.texts.prompts import load

    reference = data_reference(data, labels, reader)
    sets, parts, errors = [load(one) for one in prompts], [], []
    for name in dict.fromkeys(protocols):
        try:
            parts.append(_of_protocol(name, reference, sets))
        except BenchError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ErrorList("these protocols cannot be embedded:", errors)
    if not protocols:
        manifest = open_dataset(reference)
        parts.append(NeededVectors(manifest, _reports(manifest)))
    texts = [text for part in parts for text in part.texts]
    texts += [(text,) for one in sets for text in _texts(one)]
    return NeededVectors(_joined([part.images for part in parts]), list(dict.fromkeys(texts)))


def _of_protocol(name: str, reference: dict[str, Any], sets: list[PromptSet]) -> NeededVectors:
    from prior_bench.data.open import open_dataset
    from prior_bench.data.splitting.seeded import DRAWS, different_splits, split_name

    protocol = shipped.load(name)
    task: Any = TASKS.get(protocol.task)()
    if why := pixels_needed(task, protocol):
        what = f"embeddings are not enough: {why}"
        raise BenchError(what, where=name, fix="leave the protocol out; evaluate the model itself")
    found = []
    for changed in _with_prompts(name, protocol, sets):
        for seed in different_splits(changed.split, range(DRAWS)):
            manifest = open_dataset(reference, split=split_name(changed.split, seed))
            for annotation in task.needs:
                if not manifest.has(annotation):
                    what = f"{manifest.name} has no {annotation}, which {task.name} needs"
                    raise BenchError(what, where=name)
            task.check(manifest, changed)
            found.append(task.needed_vectors(manifest, changed))
    return NeededVectors(_joined([one.images for one in found]), [t for one in found for t in one.texts])


def _with_prompts(name: str, protocol: Protocol, sets: list[PromptSet]) -> list[Protocol]:
    """Return the protocol with each of the prompt sets; as it is if there are none or it takes none."""
    if not sets or not hasattr(TASKS.get(protocol.task), "with_prompts"):
        return [protocol]
    given: list[Any] = [one.content() if one.own else one.name for one in sets]
    return [shipped.load(name, prompt_changes(protocol.task, one)) for one in given]


def _reports(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return the distinct reports of the test split."""
    if not manifest.has("reports"):
        return []
    reports = manifest.table.loc[manifest.table["split"] == "test", "report"]
    return list(dict.fromkeys(r for r in reports if isinstance(r, tuple) and r))


def _texts(prompt_set: PromptSet) -> list[str]:
    return [
        text
        for given in (prompt_set.classes, prompt_set.negatives)
        for some in given.values()
        for text in some
    ]


def _joined(manifests: list[Manifest]) -> Manifest:
    """Return all rows of several manifests of one data set, each image once."""
    import pandas as pd

    if len(manifests) == 1:
        return manifests[0]
    table = pd.concat([one.table for one in manifests], ignore_index=True)
    return replace(manifests[0], table=table.drop_duplicates("id").reset_index(drop=True))
