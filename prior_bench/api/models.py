"""Models: inputs and outputs of encoders, the interface of a pre-training method, sources of weights.

Tensor shapes use B images, N patches, T texts, L tokens, D channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Protocol as Interface

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class InputSpec:
    """What an image encoder expects to be fed; it travels with the weights.

    Attributes:
        size: side of the square input, in pixels.
        channels: 1 or 3 (a grey image is repeated).
        mean, std: normalisation of pixels scaled to [0, 1], the same for every channel.
        resize: ``"squash"`` (aspect lost), ``"pad"`` (longest side, zero padding to a square) or
            ``"crop"`` (shortest side, centre crop).
    """

    size: int = 224
    channels: int = 3
    mean: float = 0.5
    std: float = 0.5
    resize: str = "pad"


class TextBatch(NamedTuple):
    """Tokenised texts, padded to the longest of the batch. All tensors are int64 [B, L].

    Attributes:
        input_ids: token ids.
        attention_mask: 1 on tokens, 0 on padding.
        sentence_index: 1..n on the tokens of sentence n, -1 on [CLS], [SEP] and padding.
        word_index: 0.. on the pieces of each word, counted over the text, -1 on special tokens.
    """

    input_ids: Tensor
    attention_mask: Tensor
    sentence_index: Tensor
    word_index: Tensor

    def to(self, device: Any) -> TextBatch:
        """The same on a device."""
        return TextBatch(*(tensor.to(device) for tensor in self))


class PretrainBatch(NamedTuple):
    """Image-report pairs: row i of ``images`` [B, C, H, W] belongs to row i of ``text``."""

    images: Tensor
    text: TextBatch


class Features(NamedTuple):
    """Features of B images or texts, ready for a method's ``similarity``.

    Attributes:
        global_: [B, D] one vector each.
        local: [B, N, D'] vectors of patches, words or sentences, or None.
        mask: bool [B, N], True where ``local`` is real and not padding, or None (all real).
    """

    global_: Tensor
    local: Tensor | None = None
    mask: Tensor | None = None

    @property
    def parts(self) -> Tensor:
        """``local`` of an encoder that gives local features.

        Raises:
            ValueError: this one gives none.
        """
        if self.local is None:
            raise ValueError("the encoder gives no local features")
        return self.local


class Method(Interface):
    """A pre-training method: an ``nn.Module`` that owns an image and a text encoder.

    ``image_encoder`` fulfils :class:`prior_bench.api.encoders.ImageEncoderLike` (its features *before* the
    method's projection are what classification, segmentation and detection use); ``text_encoder`` has a
    ``tokenizer``, which turns a list of texts, each a tuple of sentences, into a TextBatch.

    Optional, for pictures: ``attention(image: Features, text: Features) -> Tensor | None``, [B, S, N], what
    row s of ``text.local`` looks at among the N patches of ``image.local`` of the same pair, row-major on a
    square grid (None where local features have no place in the image); and the class attribute
    ``attention_over``, ``"sentences"`` or ``"words"``: what the rows of ``text.local`` are, in the order of
    the text's ``sentence_index`` or by its ``word_index``. More can be shown through
    :class:`prior_bench.explain.contract.Explainer`. Also optional: the class attribute ``version``, a whole
    number that is raised whenever the method's weights, losses or features change (1 without it), and
    ``random_evaluation``, True where what it says in evaluation mode is random by design
    (``prior-bench check-method`` asks).
    """

    # modules that fulfil a protocol besides; Python has no type for "both of these"
    image_encoder: Any
    text_encoder: Any

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Scalars of one batch: those whose name starts with ``loss`` are summed and minimised."""

    def encode_image(self, images: Tensor) -> Features:
        """Images [B, C, H, W] into the joint space."""

    def encode_text(self, text: TextBatch) -> Features:
        """Texts into the joint space."""

    def similarity(self, image: Features, text: Features) -> Tensor:
        """The method's own image-text score, [images, texts]; higher is more alike."""

    def to(self, device: Any) -> Any:
        """Moved to a device; this and what follows comes with ``nn.Module``."""

    def train(self, mode: bool = True) -> Any:
        """In training or in evaluation mode."""

    def eval(self) -> Any:
        """In evaluation mode."""

    def modules(self) -> Iterator[nn.Module]:
        """All parts, the method itself first."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """All weights that are learned."""

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The same by name."""

    def state_dict(self) -> dict[str, Any]:
        """All weights by name."""


@dataclass
class Backbone:
    """A model to evaluate: its weights, and the input they expect.

    Attributes:
        name: row label.
        image_encoder: see :class:`prior_bench.api.encoders.ImageEncoderLike`.
        method: the whole method where a text tower is present, else None.
        input: what the image encoder expects.
        identity: hash of everything that determines the weights (config and seed, or the file's sha256).
        provenance: where the weights come from, for the record.
    """

    name: str
    image_encoder: Any
    method: Method | None
    input: InputSpec
    identity: str
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def text_method(self) -> Method:
        """The method of a backbone that compares images with texts.

        Raises:
            BenchError: the backbone has no text tower.
        """
        if self.method is None:
            raise BenchError("has no text tower", where=self.name, fix="use a backbone that has one")
        return self.method


@dataclass(frozen=True)
class LoadContext:
    """Where and how a backbone is loaded.

    Attributes:
        device: ``"cpu"`` or ``"cuda"``.
        pretrain_dir: folder that holds one sub-folder per pre-training run.
        workers: data loading processes.
    """

    device: str = "cpu"
    pretrain_dir: Path = Path("results/pretrain")
    workers: int = 0


class BackboneSource(Interface):
    """Where the weights of a row come from; made from the row's config, cheap to make.

    Attributes:
        name: row label.
        has_text: whether the backbone will bring a text tower (zero-shot and retrieval need one).
        text_problem: optional; why a text tower that is there cannot be used, as shown to the user.

    Optional, so that test patients can be looked for: ``training_data() -> list[dict]``, each with the
    ``dataset`` (a data reference), ``split_rule`` and ``splits`` that the weights were trained on; and
    ``known_exposure() -> list[tuple[str, str]]``, data sets whose patients they are known to have seen, each
    with a clause that says so.

    Also optional: ``confirms(seed, provenance, context) -> str``, asked by ``prior-bench results migrate``:
    why the weights of a record, known by its ``provenance``, are not certain to be those that this source
    gives today; empty where they are.
    """

    name: str
    has_text: bool

    def check(self) -> None:
        """Raise BenchError where the config cannot work (missing file, unknown method); cheap."""

    def identity(self, seed: int) -> str:
        """Hash of everything that determines the weights, known before they exist."""

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the backbone. If it must be pre-trained first, do that, or resume it."""
