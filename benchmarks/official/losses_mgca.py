"""MGCA's loss after the encoders: ``forward`` of ``mgca/models/mgca/mgca_module.py``, and ours as released.

The token alignment is written inside ``forward``, so that this is the smallest part that can be called.
What is timed on both sides begins with features in the joint space, before their normalisation, and ends with
the sum of the three losses (instances, tokens, prototypes) and its gradients; the encoders and the projection
heads are stand-ins that return given tensors. The tokens are nearly all of the work. Importing the module
switches autograd's anomaly detection on; it is off while anything is timed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.mgca.attention import clipped_weights, uniform_weights
from baselines.mgca.losses import (
    instance_alignment,
    prototype_alignment,
    token_alignment,
    token_logits,
    top_k_accuracy,
)
from benchmarks.official import imports
from benchmarks.official.losses import LossCase, Outcome, outcome

BATCH, SMALL_BATCH = 48, 8
PATCHES, WORDS = 361, 111
"""Patches of a 299 pixel image in ResNet-50; words are padded to the 112 tokens of a text, less [CLS]."""
FEWEST = 20
"""Words of a report, up to all."""
DIM, PROTOTYPES = 128, 500
TEMPERATURE, LOCAL_TEMPERATURE, PROTOTYPE_TEMPERATURE, EPSILON = 0.07, 0.1, 0.2, 0.05
"""The defaults of the official constructor."""


def cases(checkout: Path, batch: int | None, small: bool) -> Iterator[LossCase]:
    """Yield the comparison of the whole loss."""
    size = batch or (SMALL_BATCH if small else BATCH)
    torch.manual_seed(0)
    mask = torch.arange(WORDS) < torch.randint(FEWEST, WORDS + 1, (size, 1))
    attention = (0.1 + torch.rand(mask.shape)) * mask
    prototypes = F.normalize(torch.randn(PROTOTYPES, DIM), dim=1).requires_grad_()
    leaves = {
        "image": torch.randn(size, DIM).requires_grad_(),
        "patches": torch.randn(size, PATCHES, DIM).requires_grad_(),
        "report": torch.randn(size, DIM).requires_grad_(),
        "words": torch.randn(size, WORDS, DIM).requires_grad_(),
        "prototypes": prototypes,
    }
    model = official_model(checkout)
    model.prototype_layer.weight = nn.Parameter(prototypes)  # the same storage, but a leaf of its own
    official_leaves = {**leaves, "prototypes": model.prototype_layer.weight}
    # the first column is [CLS]
    pieces = [["[CLS]", *("word" if real else "[PAD]" for real in row)] for row in mask.tolist()]
    given = dict.fromkeys(("caption_ids", "attention_mask", "token_type_ids")) | {"imgs": leaves["image"]}

    def official() -> Outcome:
        model.img_encoder_q.returned = leaves["image"], leaves["patches"]
        # the attention is clipped in place
        model.text_encoder_q.returned = leaves["report"], leaves["words"], attention.clone(), pieces
        return outcome(sum(model(given, 0)[:3]), official_leaves)

    def ours() -> Outcome:
        return outcome(loss(**leaves, attention=attention, mask=mask), leaves)

    text = f"B={size}, {PATCHES} patches, {WORDS} words with padding, D={DIM}, {PROTOTYPES} prototypes"
    yield LossCase("MGCA, all three", text, official, ours)


def loss(
    image: Tensor,
    patches: Tensor,
    report: Tensor,
    words: Tensor,
    prototypes: Tensor,
    attention: Tensor,
    mask: Tensor,
) -> Tensor:
    """Our loss with all switches as released (``MGCA.terms``), without encoders.

    Args:
        image, report: [B, D].
        patches: [B, N, D].
        words: [B, W, D].
        prototypes: [K, D], normalised in place.
        attention: [B, W], 0 for padding.
        mask: bool [B, W].
    """
    image, patches, report, words = (F.normalize(x, dim=-1) for x in (image, patches, report, words))
    instance = sum(instance_alignment(image, report, TEMPERATURE, local_negatives=True))
    top_k_accuracy(image, report, 1)
    logits = token_logits(words, patches, None, LOCAL_TEMPERATURE)
    word = token_alignment(logits, clipped_weights(attention), None)
    logits = token_logits(patches, words, mask, LOCAL_TEMPERATURE)
    patch = token_alignment(logits, uniform_weights(patches), None)
    with torch.no_grad():
        prototypes.copy_(F.normalize(prototypes, dim=-1))
    prototype = prototype_alignment(image, report, prototypes, PROTOTYPE_TEMPERATURE, EPSILON)
    return instance + (sum(word) + sum(patch)) / 2 + sum(prototype) / 2


class GivenFeatures(nn.Module):
    """An encoder with heads that returns what it was given."""

    returned: tuple[Any, ...]

    def __init__(self, *_: Any, **__: Any):
        super().__init__()
        self.global_embed = self.local_embed = nn.Identity()

    def forward(self, *_: Any) -> tuple[Any, ...]:
        return self.returned


def official_model(checkout: Path) -> Any:
    """The official module with :class:`GivenFeatures` as both encoders."""
    imports.lightning()
    imports.stand_in("cosine_annealing_warmup", CosineAnnealingWarmupRestarts=None)
    imports.stand_in("einops", rearrange=_rearranged)
    imports.stand_in("mgca.datasets.data_module", DataModule=None)
    data = dict.fromkeys(("MultimodalPretrainingDataset", "multimodal_collate_fn"))
    imports.stand_in("mgca.datasets.pretrain_dataset", **data)
    imports.stand_in("mgca.datasets.transforms", DataTransforms=None)
    imports.stand_in("mgca.models.backbones.encoder", BertEncoder=GivenFeatures, ImageEncoder=GivenFeatures)
    module = imports.module_of("official_mgca_module", checkout / "mgca/models/mgca/mgca_module.py")
    torch.autograd.set_detect_anomaly(False)
    return module.MGCA(img_encoder="resnet_50", emb_dim=DIM, num_prototypes=PROTOTYPES, gpus=0)


def _rearranged(x: Tensor, pattern: str) -> Tensor:
    """The two patterns of einops that the loss uses: rows, or columns, of all pairs below each other."""
    if pattern == "b n1 n2 -> (b n1) n2":
        return x.flatten(0, 1)
    assert pattern == "b n1 n2 -> (b n2) n1", pattern
    return x.mT.reshape(-1, x.shape[1])
