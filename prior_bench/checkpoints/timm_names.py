"""Convert other libraries' names of tensors in image encoders to timm's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.folders import weights_file
from prior_bench.checkpoints.numbered_blocks import LITE_DEPTHS, places, rule

Rule = tuple[str, str | Callable[[re.Match], str]]


@dataclass(frozen=True)
class Naming:
    """The names that a library gives to the tensors of an image encoder.

    Attributes:
        name: name for display.
        mark: regular expression that at least one name matches; an empty one matches every checkpoint.
        rules: pairs (pattern, replacement), applied in order to each name; prefixes do not change.
    """

    name: str
    mark: str = ""
    rules: tuple[Rule, ...] = ()

    def renamed(self, name: str) -> str:
        """Return timm's name for a name of this library."""
        for pattern, replacement in self.rules:
            name = re.sub(pattern, replacement, name)
        return name


def _next(text: str) -> Callable[[re.Match], str]:
    return lambda found: text.format(int(found[1]) + 1)


NAMINGS = (
    Naming(
        "transformers ResNet",
        r"embedder\.embedder\.convolution\.",
        (
            (r"embedder\.embedder\.convolution\.", "conv1."),
            (r"embedder\.embedder\.normalization\.", "bn1."),
            (r"encoder\.stages\.(\d+)\.layers\.", _next("layer{}.")),
            (r"shortcut\.convolution\.", "downsample.0."),
            (r"shortcut\.normalization\.", "downsample.1."),
            (r"layer\.(\d+)\.convolution\.", _next("conv{}.")),
            (r"layer\.(\d+)\.normalization\.", _next("bn{}.")),
        ),
    ),
    Naming(
        "transformers Swin",
        r"encoder\.layers\.\d+\.blocks\.\d+\.attention\.self\.",
        (
            (r"embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
            (r"embeddings\.norm\.", "patch_embed.norm."),
            (r"encoder\.layers\.(\d+)\.downsample\.", _next("layers.{}.downsample.")),
            (r"encoder\.layers\.(\d+)\.blocks\.", r"layers.\1.blocks."),
            (r"attention\.self\.", "attn."),
            (r"attention\.output\.dense\.", "attn.proj."),
            (r"intermediate\.dense\.", "mlp.fc1."),
            (r"output\.dense\.", "mlp.fc2."),
            (r"layernorm_before\.", "norm1."),
            (r"layernorm_after\.", "norm2."),
            (r"(^|\.)layernorm\.", r"\1norm."),
        ),
    ),
    Naming(
        "transformers ViT",
        r"patch_embeddings\.projection\.",
        (
            (r"embeddings\.cls_token$", "cls_token"),
            (r"embeddings\.position_embeddings$", "pos_embed"),
            (r"embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
            (r"encoder\.layer\.(\d+)\.", r"blocks.\1."),
            (r"attention\.attention\.qkv\.", "attn.qkv."),
            (r"attention\.output\.dense\.", "attn.proj."),
            (r"intermediate\.dense\.", "mlp.fc1."),
            (r"output\.dense\.", "mlp.fc2."),
            (r"layernorm_before\.", "norm1."),
            (r"layernorm_after\.", "norm2."),
            (r"(^|\.)layernorm\.", r"\1norm."),
        ),
    ),
    Naming(
        "ViT of Google's names in torch",
        r"encoder\.layer\.\d+\.attention_norm\.",
        (
            (r"embeddings\.cls_token$", "cls_token"),
            (r"embeddings\.position_embeddings$", "pos_embed"),
            (r"embeddings\.patch_embeddings\.", "patch_embed.proj."),
            (r"encoder\.layer\.(\d+)\.", r"blocks.\1."),
            (r"attn\.out\.", "attn.proj."),
            (r"attention_norm\.", "norm1."),
            (r"ffn_norm\.", "norm2."),
            (r"ffn\.fc([12])\.", r"mlp.fc\1."),
            (r"encoder\.encoder_norm\.", "norm."),
        ),
    ),
    Naming(
        "torchvision ViT",
        r"encoder\.layers\.encoder_layer_0\.",
        (
            (r"class_token$", "cls_token"),
            (r"conv_proj\.", "patch_embed.proj."),
            (r"encoder\.pos_embedding$", "pos_embed"),
            (r"encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
            (r"self_attention\.in_proj_", "attn.qkv."),
            (r"self_attention\.out_proj\.", "attn.proj."),
            (r"\.ln_([12])\.", r".norm\1."),
            (r"\.mlp\.(0|linear_1)\.", ".mlp.fc1."),
            (r"\.mlp\.(3|linear_2)\.", ".mlp.fc2."),
            (r"encoder\.ln\.", "norm."),
        ),
    ),
    Naming(
        "Swin of timm before 0.9",
        r"(^|\.)layers\.0\.downsample\.",
        ((r"(^|\.)layers\.(\d+)\.downsample\.", lambda m: f"{m[1]}layers.{int(m[2]) + 1}.downsample."),),
    ),
    Naming(
        "DenseNet of torchvision before 0.3",
        r"denselayer\d+\.norm\.1\.",
        ((r"(denselayer\d+\.)(norm|conv)\.(\d)\.", r"\1\2\3."),),
    ),
    Naming(
        "EVA-02",
        r"blocks\.0\.mlp\.(w12|w1)\.",
        (
            (r"\.mlp\.w12\.", ".mlp.fc1."),
            (r"\.mlp\.w1\.", ".mlp.fc1_g."),
            (r"\.mlp\.w2\.", ".mlp.fc1_x."),
            (r"\.mlp\.w3\.", ".mlp.fc2."),
            (r"\.mlp\.ffn_ln\.", ".mlp.norm."),
            (r"\.attn\.inner_attn_ln\.", ".attn.norm."),
        ),
    ),
    Naming(
        "DINOv2 in chunks of blocks",
        r"(^|\.)blocks\.0\.0\.norm1\.",
        ((r"(^|\.)blocks\.\d+\.(\d+)\.", r"\1blocks.\2."),),
    ),
    Naming(
        "ResNet as a sequence of its children",
        r"(^|\.)4\.0\.conv1\.",
        (
            (r"(^|(?<!downsample)\.)0\.weight$", r"\1conv1.weight"),
            (r"(^|(?<!downsample)\.)1\.(weight|bias|running_\w+|num_batches_tracked)$", r"\1bn1.\2"),
            (r"(^|\.)([4-7])(?=\.\d+\.)", lambda m: f"{m[1]}layer{int(m[2]) - 3}"),
        ),
    ),
    *(
        Naming(
            "EfficientNet-Lite with numbered blocks",
            rf"(^|\.)_blocks\.{len(places(depth)) - 1}\._",
            (rule(depth),),
        )
        for depth in reversed(LITE_DEPTHS)  # a deeper network has all names of the others
    ),
    Naming("torchvision or timm state dict"),
)
"""Known namings, the most specific first."""


def naming_of(names: set[str]) -> Naming:
    """Return the naming that matches the names of tensors."""
    return next(naming for naming in NAMINGS if any(re.search(naming.mark, name) for name in names))


def read_for_timm(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a weights file or folder, joined as timm's are (see :func:`joined`).

    Raises:
        BenchError: as for :func:`prior_bench.checkpoints.files.read_tensors`.
    """
    return joined(read_tensors(weights_file(path)))


SEPARATE = re.compile(
    r"(.*(?:layer\.\d+\.attention\.attention|blocks\.\d+\.attention\.self|encoder\.layer\.\d+\.attn)\.)"
    r"(query|key|value)\.(weight|bias)"
)
"""Names of the queries, keys and values of transformers' ViT and Swin, and of the ViT of Google's names."""
NEWER: tuple[Rule, ...] = (
    (r"(blocks\.\d+\.attention\.)q_proj\.", r"\1self.query."),
    (r"(blocks\.\d+\.attention\.)k_proj\.", r"\1self.key."),
    (r"(blocks\.\d+\.attention\.)v_proj\.", r"\1self.value."),
    (r"(blocks\.\d+\.attention\.)o_proj\.", r"\1output.dense."),
    (r"(blocks\.\d+\.attention\.)relative_position_bias\.", r"\1self."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+\.)mlp\.fc1\.", r"\1intermediate.dense."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+\.)mlp\.fc2\.", r"\1output.dense."),
)
"""Names in the memory of transformers 5, and the names in files of all versions, for a Swin."""


def joined(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join queries, keys and values to one ``qkv``, and DINOv2's class token to its position, as in timm."""
    found = {}
    if any(re.search(NEWER[0][0], name) for name in tensors):
        newer = Naming("", rules=NEWER)
        tensors = {newer.renamed(name): tensor for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        part = SEPARATE.fullmatch(name)
        # BERT has the same parts one level higher, so that only those of a ViT match
        trio = [f"{part[1]}{which}.{part[3]}" for which in ("query", "key", "value")] if part else []
        if part is None or any(one not in tensors for one in trio):
            found[name] = tensor
        elif part[2] == "query":
            found[f"{part[1]}qkv.{part[3]}"] = torch.cat([tensors[one] for one in trio])
    return _class_at_its_position(found)


def _class_at_its_position(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the position of the class token to it, if there are registers: timm's have patches alone."""
    registers = next((name for name in tensors if re.search(r"(^|\.)register_tokens$", name)), None)
    if registers is None:
        return tensors
    beginning = registers.removesuffix("register_tokens")
    positions, token = tensors.get(f"{beginning}pos_embed"), tensors.get(f"{beginning}cls_token")
    if positions is None or token is None or positions.ndim != 3 or token.ndim != 3:
        return tensors
    changed = {
        f"{beginning}cls_token": token + positions[:, :1],
        f"{beginning}pos_embed": positions[:, 1:],
        f"{beginning}reg_token": tensors[registers],
    }
    return {**{name: t for name, t in tensors.items() if name != registers}, **changed}
