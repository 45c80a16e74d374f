"""A two-tower model of transformers (CLIP, SigLIP, VisionTextDualEncoder, …) as a method."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from prior_bench.api import TextBatch
from prior_bench.libraries.texts import LibraryTokenizer
from prior_bench.libraries.towers import TwoTowers
from prior_bench.libraries.transformers.describe import FolderConfig
from prior_bench.libraries.transformers.encoder import TransformersEncoder, patches_of


class TransformersTowers(TwoTowers):
    """A two-tower model of transformers (CLIP, SigLIP, VisionTextDualEncoder, …).

    Args:
        model: the whole model.
        found: description of its folder.
        tokenizer: from :func:`load_tokenizer`.
    """

    def __init__(self, model: Any, found: FolderConfig, tokenizer: LibraryTokenizer):
        encoder = TransformersEncoder(model.vision_model, found)
        super().__init__(model, encoder, tokenizer)
        # SigLIP was trained without a mask: its texts are padded to one length, and the padding is seen
        self.has_bias = hasattr(model, "logit_bias")
        self._masked = not found.pads_to_maximum

    def image_vectors(self, images: Tensor) -> Tensor:
        """Return the vectors [B, D] of ``get_image_features``."""
        encoder = self.image_encoder
        if encoder.kind == "siglip2_vision_model":
            return _vectors(self.model.get_image_features(**patches_of(images, encoder.divisor)))
        options = encoder.options_at(images.shape[-1])
        taken = inspect.signature(self.model.get_image_features).parameters
        if any(name not in taken for name in options) and "kwargs" not in taken:
            return self.model.visual_projection(encoder(images).global_)
        return _vectors(self.model.get_image_features(pixel_values=images, **options))

    def text_vectors(self, text: TextBatch) -> Tensor:
        """Return the vectors [T, D] of ``get_text_features``."""
        mask = {"attention_mask": text.attention_mask} if self._masked else {}
        return _vectors(self.model.get_text_features(input_ids=text.input_ids, **mask))

    def scale_and_bias(self) -> tuple[Tensor | float, Tensor | float]:
        """Return the exponential of ``logit_scale``, and ``logit_bias`` if there is one."""
        return torch.exp(self.model.logit_scale), getattr(self.model, "logit_bias", 0.0)


def _vectors(output: Any) -> Tensor:
    """Return the vectors of ``get_…_features``, which are a tensor or, from transformers 5 on, an output."""
    return output if isinstance(output, Tensor) else output.pooler_output
