"""A tiny backbone and method that need no download, for tests of tasks, engines and plug-ins.

They are deterministic and fast, and have the whole interface of real ones: an untrained network with
BatchNorm, and texts as bags of hashed words.
"""

import zlib

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prior_bench.api import Backbone, Features, InputSpec, LoadContext, PretrainBatch, TextBatch

DIM = 32


class MockImageEncoder(nn.Module):
    """An encoder of five strided convolutions with BatchNorm; the last four stages have strides 4 to 32.

    Attributes:
        images_seen: number of images that :meth:`forward` has encoded.
    """

    dim = local_dim = DIM
    stage_channels = (8, 16, 24, DIM)
    stage_strides = (4, 8, 16, 32)

    def __init__(self, size: int = 64):
        super().__init__()
        self.input = InputSpec(size=size, channels=1, mean=0.5, std=0.25, resize="pad")
        widths = (1, 8, *self.stage_channels)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        self.images_seen = 0

    def feature_maps(self, images: Tensor, stages: tuple[int, ...] = (0, 1, 2, 3)) -> list[Tensor]:
        """Return the maps [B, C, H, W] of the given stages."""
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        return [maps[1:][stage] for stage in stages]

    @property
    def grad_cam_layer(self) -> nn.Module:
        """The last stage."""
        return self.stages[-1]

    def forward(self, images: Tensor) -> Features:
        """Return global [B, 32] and local [B, N, 32] features."""
        self.images_seen += len(images)
        (last,) = self.feature_maps(images, (3,))
        return Features(last.mean((2, 3)), last.flatten(2).transpose(1, 2))


class MockTokenizer:
    """A tokenizer that hashes lower-case words into ``vocab_size`` ids."""

    vocab_size = 512
    max_tokens = 64

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise texts, each a tuple of sentences, to a padded batch."""
        rows = []
        for sentences in texts:
            words = [(w, s) for s, sentence in enumerate(sentences, 1) for w in sentence.lower().split()]
            rows.append([(self._id(w), 1, s, i) for i, (w, s) in enumerate(words[: self.max_tokens])])
        longest = max(1, *(len(row) for row in rows))
        padded = [row + [(0, 0, -1, -1)] * (longest - len(row)) for row in rows]
        return TextBatch(*torch.tensor(padded, dtype=torch.int64).unbind(-1))

    def _id(self, word: str) -> int:
        return 1 + zlib.crc32(word.strip(".,").encode()) % (self.vocab_size - 1)


class MockTextEncoder(nn.Module):
    """A text encoder with one embedding per token; the global feature is their mean."""

    dim = DIM

    def __init__(self):
        super().__init__()
        self.tokenizer = MockTokenizer()
        self.embedding = nn.Embedding(self.tokenizer.vocab_size, DIM)

    def forward(self, text: TextBatch) -> Features:
        """Return global [B, 32] and local [B, L, 32] features."""
        tokens = self.embedding(text.input_ids)
        mask = text.attention_mask.bool()
        mean = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return Features(mean, tokens, mask)


class MockMethod(nn.Module):
    """A dual encoder with a contrastive loss that fulfils :class:`prior_bench.api.Method`."""

    def __init__(self, size: int = 64):
        super().__init__()
        self.image_encoder = MockImageEncoder(size)
        self.text_encoder = MockTextEncoder()
        self.image_projection = nn.Linear(DIM, DIM)

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute symmetric InfoNCE at temperature 0.1."""
        logits = self.similarity(self.encode_image(batch.images), self.encode_text(batch.text)) / 0.1
        pairs = torch.arange(len(logits), device=logits.device)
        return {"loss": (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2}

    def encode_image(self, images: Tensor) -> Features:
        """Encode images in the joint space."""
        features = self.image_encoder(images)
        return features._replace(global_=self.image_projection(features.global_))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space."""
        return self.text_encoder(text)

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosine similarity of the global features, [images, texts]."""
        return F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T


def mock_backbone(name: str = "mock", seed: int = 0, size: int = 64) -> Backbone:
    """Return an untrained mock method as a backbone, with weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        method = MockMethod(size)
    encoder = method.image_encoder
    return Backbone(name, encoder, method, encoder.input, f"mock-{size}-{seed}", {"kind": "mock"})


class MockSource:
    """A source of mock backbones."""

    has_text = True

    def __init__(self, name: str = "mock", size: int = 64):
        self.name, self.size = name, size

    def check(self) -> None:
        """Do nothing, because nothing can be wrong."""

    def identity(self, seed: int) -> str:
        """Return the identity, which depends on size and seed."""
        return f"mock-{self.size}-{seed}"

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Make the backbone on the context's device."""
        backbone = mock_backbone(self.name, seed, self.size)
        backbone.text_method.to(context.device)
        return backbone
