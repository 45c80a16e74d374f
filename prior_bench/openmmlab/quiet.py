"""Silence the warnings that OpenMMLab and torch print in every run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MESSAGES = (
    "``build_loss`` would be deprecated",
    "Default ``avg_non_ignore`` is False",
    "`torch.cuda.amp",
    "`torch.cpu.amp",
    "__array__ implementation doesn't accept a copy keyword",
    ".*find_loader.* is deprecated",
    ".*MultiScaleDeformableAttention",
    ".*init_weights of .* has been called more than once",
    "There is overlap between pos and neg sample",
    ".*'pin_memory' argument is set as true but",
)
"""Beginnings (regular expressions) of warnings that are useless for a user of the benchmark."""


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore these warnings within the block.

    mmengine's three lines per parameter with a learning rate of its own are also ignored.
    """
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        with warnings.catch_warnings():
            for message in MESSAGES:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        logger.setLevel(level)
