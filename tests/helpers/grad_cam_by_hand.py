"""Grad-CAM of one pair by a backward pass through the whole network."""

from __future__ import annotations

import torch


def grad_cam_of(method, image, phrase):
    """The map [G, G] of a phrase over an image [C, S, S]; the gradient must not be 0 everywhere."""
    kept = []

    def keep(_module, _inputs, output):
        kept.append(output[0] if isinstance(output, tuple) else output)
        kept[-1].retain_grad()

    handle = method.image_encoder.grad_cam_layer.register_forward_hook(keep)
    with torch.enable_grad():
        features = method.encode_image(image[None])
        tokens = method.text_encoder.tokenizer([(phrase,)])
        method.similarity(features, method.encode_text(tokens)).sum().backward()
    handle.remove()
    slopes, channels = kept[0].grad[0], kept[0].detach()[0]
    assert slopes.abs().max() > 0
    if channels.ndim == 2:  # tokens; those before the square grid have no place in the image
        side = int(len(channels) ** 0.5)
        slopes, channels = (one[-(side**2) :].T.unflatten(1, (side, side)) for one in (slopes, channels))
    if channels.shape[0] == channels.shape[1] != channels.shape[2]:  # channels last
        slopes, channels = (one.permute(2, 0, 1) for one in (slopes, channels))
    return sum(slope.mean() * channel for slope, channel in zip(slopes, channels, strict=True)).clamp(min=0)
