"""Models: inputs and outputs of encoders, the interface of pre-training methods, and sources of weights.

In tensor shapes, B is the number of images, N of patches, T of texts, L of tokens and D of channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Protocol as Interface

from prior_bench.api.inputs import InputSpec
from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prior_bench.api.stored import StoredVectors


class TextBatch(NamedTuple):
    """Tokenised texts, padded to the longest text of the batch. All tensors are int64 [B, L].

    Attributes:
        input_ids: token ids.
        attention_mask: 1 for tokens, 0 for padding.
        sentence_index: number of the token's sentence, from 1; -1 for [CLS], [SEP] and padding.
        word_index: number of the token's word in the text, from 0; -1 for special tokens.
    """

    input_ids: Tensor
    attention_mask: Tensor
    sentence_index: Tensor
    word_index: Tensor

    def to(self, device: Any, non_blocking: bool = False) -> TextBatch:
        """The batch on a device; it remembers the tensors that it was copied from, see ``on_host``."""
        moved = _MovedTextBatch(*(tensor.to(device, non_blocking=non_blocking) for tensor in self))
        moved.copied_from = self.on_host
        return moved

    @property
    def on_host(self) -> TextBatch:
        """The tensors that the batch was copied from by ``to``, or the batch itself.

        Sizes that follow from a batch are computed from these, because the host would have to wait for a GPU.
        """
        return getattr(self, "copied_from", self)


class _MovedTextBatch(TextBatch):
    """A batch that :meth:`TextBatch.to` has made; parts that are cut out of it are no longer one."""

    copied_from: TextBatch


class PretrainBatch(NamedTuple):
    """Image-report pairs: row i of ``images`` [B, C, H, W] belongs to row i of ``text``."""

    images: Tensor
    text: TextBatch


class Features(NamedTuple):
    """Features of B images or texts, as a method's ``similarity`` takes them.

    Attributes:
        global_: [B, D], one vector per image or text.
        local: [B, N, D'], vectors of patches, words or sentences, or None.
        mask: bool [B, N], False where ``local`` is padding; None if there is no padding.
    """

    global_: Tensor
    local: Tensor | None = None
    mask: Tensor | None = None

    @property
    def parts(self) -> Tensor:
        """The local features.

        Raises:
            ValueError: the encoder gives no local features.
        """
        if self.local is None:
            raise ValueError("the encoder gives no local features")
        return self.local


class Method(Interface):
    """A pre-training method: an ``nn.Module`` that holds an image encoder and a text encoder.

    ``image_encoder`` fulfils :class:`prior_bench.api.encoders.ImageEncoderLike` (its features *before* the
    method's projection are what classification, segmentation and detection use); ``text_encoder`` has a
    ``tokenizer``, which turns a list of texts, each a tuple of sentences, into a TextBatch.

    Optional, for figures: ``attention(image: Features, text: Features) -> Tensor | None`` returns the weights
    [B, S, N] with which row s of ``text.local`` attends to the N patches of ``image.local`` of the same pair,
    row-major on a square grid (None if local features have no position in the image). The class attribute
    ``attention_over``, ``"sentences"`` or ``"words"``, says what the rows of ``text.local`` are; they follow
    the text's ``sentence_index`` or ``word_index``. For other figures, see
    :class:`prior_bench.explain.contract.Explainer`.

    Optional, for the monitoring of pre-training (docs/pretraining.md):
    ``health(batches: Iterable[PretrainBatch]) -> dict[str, float]``, called in evaluation mode without
    gradients, returns values that are written to the history; there are limits for ``prototype_share``, the
    perplexity of the choice of prototypes over the smaller of their number and that of distinct sentences.
    ``chance_losses(pairs: int) -> dict[str, float]`` returns the value that losses have where no text is told
    from another, by their names in ``loss``. Scalar parameters named ``…logit_scale`` are taken for the
    logarithm of an inverse temperature.

    Also optional: the class attribute ``local_features``, False if images have no local features (True by
    default), and ``local_text_features``, False if texts have none, so that no task plans a run that needs
    them; the class attribute ``version``, an integer that is raised whenever the method's weights, losses or
    features change (1 by default); ``upsample``, the side in pixels to which ``encode_image`` enlarges images
    (None by default); ``texts_together``, True if the score of a text depends on the other texts of the call
    (False by default), so that all texts of an evaluation go into one call, and no task plans a run that
    compares images with any number of texts (the ``local`` features of texts then have equal numbers of
    vectors and no mask); ``cascades``, True if the score of a pair depends on nothing else and there is a
    cheap first score of it, ``global_similarity(image: Features, text: Features) -> Tensor`` of the global
    features (False by default; :mod:`prior_bench.features.cascade`); and ``random_evaluation``, True if the
    outputs are random by design even in evaluation mode (``prior-bench check-method`` reads it).
    """

    # modules that also fulfil a protocol; Python has no intersection type
    image_encoder: Any
    text_encoder: Any

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Return scalars of one batch; those whose name starts with ``loss`` are summed and minimised."""

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] in the joint space."""

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space."""

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Return the method's own image-text scores, [images, texts]; higher means more similar."""

    def to(self, device: Any) -> Any:
        """Move to a device; ``nn.Module`` provides this method and all below."""

    def train(self, mode: bool = True) -> Any:
        """Switch to training or evaluation mode."""

    def eval(self) -> Any:
        """Switch to evaluation mode."""

    def modules(self) -> Iterator[nn.Module]:
        """Yield all modules, the method itself first."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield all parameters."""

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield all parameters with their names."""

    def state_dict(self) -> dict[str, Any]:
        """Return all weights by name."""


@dataclass
class Backbone:
    """A model that can be evaluated: its weights and the input that they expect.

    Attributes:
        name: label of the row.
        image_encoder: see :class:`prior_bench.api.encoders.ImageEncoderLike`.
        method: the whole method if there is a text encoder, otherwise None.
        input: the input that the image encoder expects.
        identity: hash of everything that determines the weights (config and seed, or the file's sha256).
        provenance: origin of the weights, for the record.
        stored: vectors to use in place of the encoders, which then are placeholders that refuse to encode.
    """

    name: str
    image_encoder: Any
    method: Method | None
    input: InputSpec
    identity: str
    provenance: dict[str, Any] = field(default_factory=dict)
    stored: StoredVectors | None = None

    @property
    def parameters(self) -> int:
        """Number of parameters of the image encoder; 0 where only its vectors are stored."""
        counted = None if self.stored is not None else getattr(self.image_encoder, "parameters", None)
        return sum(one.numel() for one in counted()) if counted else 0

    @property
    def text_method(self) -> Method:
        """The method, which compares images with texts.

        Raises:
            BenchError: the backbone has no text encoder.
        """
        if self.method is None:
            raise BenchError("has no text encoder", where=self.name, fix="use a backbone that has one")
        return self.method

    def require_network(self, purpose: str) -> None:
        """Raise BenchError if only stored vectors exist, and no network for ``purpose``."""
        if self.stored is not None:
            what = f"stored embeddings contain no network, which {purpose} needs"
            raise BenchError(what, where=self.name, fix="use the model itself")


@dataclass(frozen=True)
class LoadContext:
    """Settings for loading a backbone.

    Attributes:
        device: ``"cpu"`` or ``"cuda"``.
        pretrain_dir: folder with one sub-folder per pre-training run.
        workers: number of data loading processes.
        threads: number of threads that is stated for whatever is computed; None for the usual one.
        deterministic: whether to use deterministic algorithms on a GPU as well.
        gpus: GPUs of a pre-training in several processes, as ``CUDA_VISIBLE_DEVICES`` names them.
    """

    device: str = "cpu"
    pretrain_dir: Path = Path("results/pretrain")
    workers: int = 0
    threads: int | None = None
    deterministic: bool = False
    gpus: tuple[str, ...] = ()


class BackboneSource(Interface):
    """The source of the weights of a row, made from the row's config; making it is cheap.

    Attributes:
        name: label of the row.
        has_text: whether the backbone has a text encoder (zero-shot and retrieval need one).
        text_problem: optional; why the text encoder cannot be used, as a message for the user.

    Optional: ``method_class``, the class of the backbone's method, or None if there is no method or it is not
    known before loading; a task may say what the class lacks (``Task.lacks``).

    Optional, for the search for leaks: ``training_data() -> list[dict]`` returns what the weights were
    trained on, each entry with ``dataset`` (a data reference), ``split_rule`` and ``splits``;
    ``known_exposure() -> list[tuple[str, str]]`` returns data sets whose patients are known to have been seen
    in training, each with a clause that says so.

    Optional, if there are only vectors that were computed beforehand: ``stored``, the same as
    ``Backbone.stored``, so that a plan knows which runs they suffice for.

    ``size_problem(size: int) -> str``, also optional, returns why the image encoder cannot take images of
    ``size`` pixels, to which a protocol changes the input; an empty string if it can.

    Also optional: ``confirms(seed, provenance, context) -> str``, called by ``prior-bench results migrate``.
    It returns the reason why the weights described by the ``provenance`` of a record may differ from those
    that this source gives today; an empty string if they are certain to be the same.
    """

    name: str
    has_text: bool

    def check(self) -> None:
        """Raise BenchError if the config cannot work (missing file, unknown method); the check is cheap."""

    def identity(self, seed: int) -> str:
        """Return the hash of everything that determines the weights; it is known before they exist."""

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the backbone; if it must be pre-trained first, start or resume the pre-training."""
