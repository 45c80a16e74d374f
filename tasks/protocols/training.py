"""The common keys of segmentation and detection protocols."""

from __future__ import annotations

from prior_bench.schema.protocol import Frozen, ProtocolModel, Stopping, TrainingOptimizer


class TrainedProtocol(ProtocolModel):
    """A protocol that trains a decoder or detector on the backbone."""

    frozen: Frozen
    """The parts of the backbone that are not trained."""
    optimizer: TrainingOptimizer
    """The optimiser and the course of the learning rate."""
    stopping: Stopping
    """The length of training, and the weights that are tested."""
