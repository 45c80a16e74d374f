"""GLoRIA's local loss: ``gloria/loss/gloria_loss.py``, and ours as released."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F

from baselines.gloria.losses import local_loss, matching
from benchmarks.official import imports
from benchmarks.official.losses import LossCase, Outcome, outcome

BATCH, SMALL_BATCH = 48, 8
SIDE, DIM, SMALL_DIM = 19, 768, 64
"""Regions in a row, of a 299 pixel image in ResNet-50, and channels."""
FEWEST, MOST = 12, 18
"""Words of a caption."""
TEMPS = (4.0, 5.0, 10.0)
"""The defaults of the official function."""


def cases(checkout: Path, batch: int | None, small: bool) -> Iterator[LossCase]:
    """Yield the comparison. Both sides start from the map of regions and from the words, each normalised."""
    official_loss = imports.module_of(
        "official_gloria_loss", checkout / "gloria/loss/gloria_loss.py"
    ).local_loss
    size, dim = batch or (SMALL_BATCH if small else BATCH), SMALL_DIM if small else DIM
    torch.manual_seed(0)
    counts = torch.randint(FEWEST, MOST + 1, (size,))
    mask = torch.arange(int(counts.max())) < counts[:, None]
    regions = F.normalize(torch.randn(size, dim, SIDE, SIDE), dim=1).requires_grad_()
    words = F.normalize(torch.randn(*mask.shape, dim), dim=-1).requires_grad_()
    leaves, lengths = {"regions": regions, "words": words}, counts.tolist()
    score = partial(matching, temp1=TEMPS[0], temp2=TEMPS[1], divided=False, double_softmax=True)

    def official() -> Outcome:
        to_text, to_image, _ = official_loss(regions, words.mT, lengths, *TEMPS)
        return outcome(to_text + to_image, leaves)

    def ours() -> Outcome:
        return outcome(sum(local_loss(regions.flatten(2).mT, words, mask, TEMPS[2], score)), leaves)

    yield LossCase(
        "GLoRIA, local",
        f"B={size}, {SIDE * SIDE} regions, {FEWEST} to {MOST} words, D={dim}",
        official,
        ours,
    )
