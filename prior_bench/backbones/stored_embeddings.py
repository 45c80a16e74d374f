"""Vectors of images and texts in memory: their checks, their identity, and their use in place of encoders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.api import NeededVectors, text_key
from prior_bench.errors import BenchError, ErrorList

if TYPE_CHECKING:
    from prior_bench.data.manifest import Manifest

SHOWN = 3
"""Number of ids or texts that a message names."""
SHOWN_LENGTH = 60
"""Number of characters of a text that a message shows."""
UNKNOWN = -1
"""Size of an image that is no file by itself."""


@dataclass(frozen=True)
class StoredEmbeddings:
    """Vectors of images and texts; fulfils :class:`prior_bench.api.StoredVectors`.

    Attributes:
        ids: str [N], the manifest's ``id`` of each image.
        vectors: float [N, D], the feature of each image, which probes use.
        joint: float [N, E], the image in the space of the texts; None if it is the same as ``vectors``.
        texts: str [T], each text, its sentences joined by single spaces.
        text_vectors: float [T, E], or None if there are no texts.
        scale, bias: the score of a pair is ``scale * cosine + bias``.
        sizes: int64 [N], size of each image file in bytes, or None. Images of another size are refused.
        trained_on: data sets whose patients the model has seen in training.
        about: where the vectors come from, as plain types; ``exposure`` is
            :func:`prior_bench.suites.leakage.exposure_of` of the model.
        where: the file, for messages.

    Raises:
        ErrorList: the arrays are not what is stated above.
    """

    ids: np.ndarray
    vectors: np.ndarray
    joint: np.ndarray | None = None
    texts: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    text_vectors: np.ndarray | None = None
    scale: float = 1.0
    bias: float = 0.0
    sizes: np.ndarray | None = None
    trained_on: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)
    where: str = "embeddings"

    def __post_init__(self):
        if problems := _problems(self):
            raise ErrorList("the embeddings cannot be used:", problems, where=self.where)
        for name in ("vectors", "joint", "text_vectors"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, np.ascontiguousarray(values, dtype=np.float32))

    @cached_property
    def content(self) -> str:
        """Hash of ids, texts, vectors, scale and bias. The order of rows and the format do not matter."""
        digest = hashlib.sha256(repr((float(self.scale), float(self.bias))).encode())
        for names, arrays in ((self.ids, (self.vectors, self.joint)), (self.texts, (self.text_vectors,))):
            there = [array for array in arrays if array is not None]
            digest.update(repr([len(names), *(array.shape[1] for array in there)]).encode())
            for row in np.argsort(names):
                digest.update(hashlib.sha256(str(names[row]).encode()).digest())
                for array in there:
                    digest.update(array[row].tobytes())
        return digest.hexdigest()

    @property
    def has_texts(self) -> bool:
        """Whether there are vectors of texts."""
        return len(self.texts) > 0

    def require(self, needed: NeededVectors, arguments: str = "--data DATA --protocol NAME") -> None:
        """Check that the vectors are there; see :class:`prior_bench.api.StoredVectors`."""
        ids, texts = _ids(needed.images), [text_key(text) for text in needed.texts]
        problems = []
        if lost := [one for one in ids if one not in self._row]:
            problems.append(_missing("images", lost, len(ids), needed.images.name, arguments))
        if lost := [one for one in texts if one not in self._text_row]:
            problems.append(_missing("texts", lost, len(texts), needed.images.name, arguments))
        if not problems:
            problems += self._other_images(needed.images)
        if problems:
            raise ErrorList("vectors are missing or of other images:", problems, where=self.where)

    def images(self, data: Manifest, what: str = "global") -> np.ndarray:
        """Return the vectors of all rows; see :class:`prior_bench.api.StoredVectors`."""
        ids = _ids(data)
        if lost := [one for one in ids if one not in self._row]:
            raise BenchError(_missing("images", lost, len(ids), data.name).what, where=self.where)
        space = self.joint if what == "joint" and self.joint is not None else self.vectors
        return space[[self._row[one] for one in ids]]

    def similarity(
        self, data: Manifest, texts: Sequence[tuple[str, ...]], groups: Sequence[Sequence[int]] = ()
    ) -> np.ndarray:
        """Return ``scale * cosine + bias`` of every row with every text, float32 [rows, texts + groups]."""
        keys = [text_key(text) for text in texts]
        lost = [one for one in keys if one not in self._text_row]
        if lost or self.text_vectors is None:
            raise BenchError(_missing("texts", lost, len(keys), data.name).what, where=self.where)
        image = _unit(self.images(data, "joint"))
        text = _unit(self.text_vectors[[self._text_row[one] for one in keys]])
        if groups:
            text = np.concatenate([text, _unit(np.stack([text[list(group)].mean(0) for group in groups]))])
        return (np.float32(self.scale) * (image @ text.T) + np.float32(self.bias)).astype(np.float32)

    @cached_property
    def _row(self) -> dict[str, int]:
        return {str(name): row for row, name in enumerate(self.ids)}

    @cached_property
    def _text_row(self) -> dict[str, int]:
        return {str(name): row for row, name in enumerate(self.texts)}

    def _other_images(self, data: Manifest) -> list[BenchError]:
        """Return an error if image files have other sizes than those that were embedded."""
        if self.sizes is None:
            return []
        ids, found = _ids(data), file_sizes(data)
        stated = self.sizes[[self._row[one] for one in ids]]
        differs = (found != UNKNOWN) & (stated != UNKNOWN) & (found != stated)
        other = [one for one, is_other in zip(ids, differs, strict=True) if is_other]
        if not other:
            return []
        what = f"{len(other):,} image files are not those that were embedded (their sizes differ): "
        fix = "embed the images of this data set; equal ids in two data sets are not the same images"
        return [BenchError(what + _some(other), where=data.name, fix=fix)]


def file_sizes(data: Manifest) -> np.ndarray:
    """Return the size of each image file in bytes, int64 [rows]; UNKNOWN if it is no file by itself."""

    def size(row: int) -> int:
        try:
            return data.path(row).stat().st_size
        except OSError:
            return UNKNOWN

    return np.array([size(row) for row in range(len(data))], np.int64)


def _ids(data: Manifest) -> list[str]:
    return [str(one) for one in data.table["id"]]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _missing(what: str, lost: list[str], total: int, data: str, arguments: str = "") -> BenchError:
    """Return the error for images or texts without a vector."""
    number = f"{len(lost):,} of {total:,} {what} have no vector: {_some(lost)}"
    listing = f"prior-bench embed --list {'ids' if what == 'images' else 'texts'} {arguments}"
    fix = f"embed them too; this lists all that are needed: {listing}" if arguments else ""
    return BenchError(number, where=data, fix=fix)


def _some(names: Iterable[str]) -> str:
    names = list(names)
    shown = [one if len(one) <= SHOWN_LENGTH else f"{one[: SHOWN_LENGTH - 1]}…" for one in names[:SHOWN]]
    return ", ".join(f"'{one}'" for one in shown) + (", …" if len(names) > SHOWN else "")


# --- checks ---------------------------------------------------------------------------------------------


def _problems(given: StoredEmbeddings) -> list[BenchError]:
    """Return everything that is wrong with the arrays."""
    problems = _name_problems("ids", given.ids) + _name_problems("texts", given.texts)
    if not len(given.ids):
        problems.append(BenchError("is empty", where="ids"))
    if (given.text_vectors is None) != (len(given.texts) == 0):
        what = "texts and text_vectors belong together; one of them is missing"
        problems.append(BenchError(what, where="texts"))
    arrays = {"images": (given.vectors, given.ids), "joint": (given.joint, given.ids)}
    arrays["text_vectors"] = (given.text_vectors, given.texts)
    for name, (values, names) in arrays.items():
        if values is not None:
            problems += _vector_problems(name, values, names)
    if not problems and given.text_vectors is not None:
        name, space = ("images", given.vectors) if given.joint is None else ("joint", given.joint)
        if space.shape[1] != given.text_vectors.shape[1]:
            what = f"have {given.text_vectors.shape[1]} numbers, but those of {name} have {space.shape[1]}"
            fix = "give the images in the space of the texts as joint" if given.joint is None else ""
            problems.append(BenchError(what, where="text_vectors", fix=fix))
    for name, value in (("scale", given.scale), ("bias", given.bias)):
        if not np.isfinite(value) or (name == "scale" and value <= 0):
            must = "a positive number" if name == "scale" else "a number"
            problems.append(BenchError(f"is {value}; must be {must}", where=name))
    if given.sizes is not None and (given.sizes.dtype.kind != "i" or given.sizes.shape != given.ids.shape):
        what = f"is {given.sizes.dtype} {list(given.sizes.shape)}; must be one integer for each id"
        problems.append(BenchError(what, where="sizes", fix="leave it out, or give bytes"))
    return problems


def _name_problems(name: str, values: np.ndarray) -> list[BenchError]:
    if values.ndim != 1 or values.dtype.kind != "U":
        what = f"is {values.dtype} {list(values.shape)}; must be texts, one for each vector"
        return [BenchError(what, where=name, fix="numpy.array(…, dtype=str)")]
    problems = []
    if blank := int((np.char.str_len(values) == 0).sum()):
        problems.append(BenchError(f"{blank:,} are empty", where=name))
    found, counts = np.unique(values, return_counts=True)
    if (counts > 1).any():
        twice = found[counts > 1]
        what = f"{len(twice):,} occur more than once: {_some(map(str, twice))}"
        problems.append(BenchError(what, where=name, fix="keep one vector of each"))
    return problems


def _vector_problems(name: str, values: np.ndarray, names: np.ndarray) -> list[BenchError]:
    if values.dtype.kind != "f":
        return [BenchError(f"is {values.dtype}; must be float32", where=name, fix="array.astype('float32')")]
    if values.ndim != 2 or len(values) != len(names) or not values.shape[1]:
        what = f"is {list(values.shape)}; must be [{len(names)}, D], one vector for each name"
        return [BenchError(what, where=name)]
    with np.errstate(over="ignore"):
        single = values.astype(np.float32, copy=False)
    broken = ~np.isfinite(single).all(axis=1)
    zero = ~single.any(axis=1)
    problems = []
    for wrong, what in ((broken, "contain NaN or infinity"), (zero, "contain only zeros")):
        if wrong.any():
            which = _some(map(str, names[wrong]))
            problems.append(BenchError(f"{int(wrong.sum()):,} vectors {what}: {which}", where=name))
    return problems
