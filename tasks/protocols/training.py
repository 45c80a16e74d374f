"""What protocols of segmentation and detection share."""

from __future__ import annotations

from prior_bench.schema.protocol import Frozen, ProtocolModel, Stopping, TrainingOptimizer


class TrainedProtocol(ProtocolModel):
    """A protocol that trains a decoder or detector on the backbone."""

    frozen: Frozen
    """What of the backbone is not trained."""
    optimizer: TrainingOptimizer
    """Optimiser and course of the learning rate."""
    stopping: Stopping
    """How long training takes and which weights are tested."""
