"""Names of EfficientNets whose blocks are numbered through, where timm counts them by stage.

So are those of EfficientNet-PyTorch and of its variant for EfficientNet-Lite.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil

FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""timm's names of the parts of a block without expansion, which those of stage 0 are."""
LATER = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
"""timm's names of the parts of all other blocks."""
ENDS = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
"""timm's names of the parts before and after the blocks."""
LITE_DEPTHS = (1.0, 1.1, 1.2, 1.4, 1.8)
"""Factor of the numbers of blocks, for EfficientNet-Lite0 to Lite4."""
_REPEATS = (2, 2, 3, 3, 4)


def places(depth: float) -> tuple[tuple[int, int], ...]:
    """Return stage and position of each block of an EfficientNet-Lite, in the order of the file's numbers.

    The factor rounds up, and leaves the first and the last stage at one block.

    Args:
        depth: one of :data:`LITE_DEPTHS`.
    """
    counts = (1, *(ceil(depth * repeats) for repeats in _REPEATS), 1)
    return tuple((stage, block) for stage, count in enumerate(counts) for block in range(count))


def renamed(name: str, depth: float) -> str:
    """Return timm's name, without a prefix, for a name of an EfficientNet-Lite; others do not change."""
    found = re.fullmatch(r"(?:_blocks\.(\d+)\.)?(_\w+)\.(\w+)", name)
    if found is None:
        return name
    number, part, last = found.groups()
    if number is None:
        return f"{ENDS[part]}.{last}" if part in ENDS else name
    blocks = places(depth)
    if int(number) >= len(blocks):
        return name
    stage, block = blocks[int(number)]
    parts = LATER if stage else FIRST
    return f"blocks.{stage}.{block}.{parts[part]}.{last}" if part in parts else name


def rule(depth: float) -> tuple[str, Callable[[re.Match], str]]:
    """Return the rule (pattern, replacement) of :mod:`prior_bench.checkpoints.timm_names`, for any prefix."""
    return r"(?:_blocks\.\d+\.)?(?<![\w])_\w+\.\w+$", lambda found: renamed(found[0], depth)
