"""Backbones from checkpoints that prior-bench wrote."""

from __future__ import annotations

from pathlib import Path

from prior_bench.api import Backbone
from prior_bench.backbones.image_encoders import made_backbone
from prior_bench.data.named_folders import remember


def native_backbone(name: str, path: str | Path, identity: str) -> Backbone:
    """Load a backbone from a checkpoint that prior-bench wrote.

    Raises:
        BenchError: the file is damaged or does not fit its method.
    """
    from prior_bench.checkpoints.native import load_method

    module, info = load_method(path)
    remember(Path(path).parent / "history.json")  # a report may show it
    kind = info.method.get("type", "image encoder")
    provenance = {"source": "prior-bench checkpoint", "path": str(path), "method": kind}
    provenance |= {
        key: info.provenance[key]
        for key in ("seed", "data", "identity", "chosen", "warnings", "computed", "converted_from")
        if key in info.provenance
    }
    if "hardware" in info.provenance:
        provenance["trained_on"] = info.provenance["hardware"]
    if not info.is_method:
        return made_backbone(name, module, None, identity, provenance)
    return made_backbone(name, module.image_encoder, module, identity, provenance)
