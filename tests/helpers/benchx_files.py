"""State dicts with the names of BenchX's files, made from plain modules by the structure of its code."""

from collections.abc import Callable
from functools import partial

import torch
from known_files import bert, headless, prefixed, resnet50
from torch import Tensor, nn

WIDTH = 768


def mlp(width: int) -> nn.Module:
    """A head of ConVIRT."""
    return nn.Sequential(nn.Linear(width, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))


def normed(width: int, out: int = 1024) -> nn.Module:
    """A head of M-FLAG."""
    layers = [nn.Linear(width, 2048), nn.BatchNorm1d(2048), nn.ReLU(), nn.Linear(2048, out)]
    return nn.Sequential(*layers, nn.BatchNorm1d(out, affine=False))


def convirt(image: nn.Module, text: nn.Module, heads: tuple[nn.Module, nn.Module]) -> dict[str, Tensor]:
    """The state of ConVIRT: its ResNet ends with the pooling."""
    return {
        **prefixed("linguistic.encoder.", text.state_dict()),
        "linguistic.encoder.embeddings.position_ids": torch.zeros(1, 512, dtype=torch.int64),
        **prefixed("visual.model.", headless(image)),
        **prefixed("vis_proj.", heads[0].state_dict()),
        **prefixed("lin_proj.", heads[1].state_dict()),
    }


def m_flag(image: nn.Module, text: nn.Module, heads: tuple[nn.Module, nn.Module]) -> dict[str, Tensor]:
    """The state of M-FLAG."""
    return {
        **prefixed("encoder.", headless(image)),
        **prefixed("proj_v.", heads[0].state_dict()),
        **prefixed("proj_t.", heads[1].state_dict()),
        **prefixed("lm_model.", text.state_dict()),
    }


class Attention(nn.Module):
    """Self-attention with separate queries, keys and values."""

    def __init__(self, width: int = WIDTH, heads: int = 12):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """Attend within [B, N, D]."""
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class Feedforward(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self, width: int = WIDTH):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, N, D]."""
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Layer(nn.Module):
    """A layer of REFERS' ViT."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm, self.ffn_norm = (nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(2))
        self.ffn, self.attn = Feedforward(), Attention()

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, N, D]."""
        x = x + self.attn(self.attention_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class PlainViT(nn.Module):
    """REFERS' ViT-B/16; its modules have the names of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings, self.encoder = nn.Module(), nn.Module()
        self.embeddings.patch_embeddings = nn.Conv2d(3, WIDTH, 16, 16)
        self.embeddings.position_embeddings = nn.Parameter(torch.zeros(1, 197, WIDTH))
        self.embeddings.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.encoder.layer = nn.ModuleList(Layer() for _ in range(12))
        self.encoder.encoder_norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, images: Tensor) -> Tensor:
        """Return the tokens [B, 197, D]."""
        parts = self.embeddings
        patches = parts.patch_embeddings(images).flatten(2).mT
        x = torch.cat([parts.cls_token.expand(len(images), -1, -1), patches], 1) + parts.position_embeddings
        for layer in self.encoder.layer:
            x = layer(x)
        return self.encoder.encoder_norm(x)


def refers(
    image: nn.Module, text: nn.Module, head: nn.Module, beginning: str = "visual.vit.transformer."
) -> dict[str, Tensor]:
    """The state of REFERS."""
    return {
        **prefixed(beginning, image.state_dict()),
        **prefixed("contrastive_bert.text_encoder.", text.state_dict()),
        **prefixed("contrastive_bert.fc.", head.state_dict()),
        "fusion.fc1.weight": torch.zeros(1, 2304),
        "textual.visual_projection.weight": torch.zeros(1024, WIDTH),
        "textual.output.weight": torch.zeros(9, 1024),
    }


class QuickGELU(nn.Module):
    """CLIP's approximation of the GELU."""

    def forward(self, x: Tensor) -> Tensor:
        """Map any tensor."""
        return x * (1.702 * x).sigmoid()


class Block(nn.Module):
    """A block of CLIP's ViT."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, 12, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential()
        for name, part in (
            ("c_fc", nn.Linear(WIDTH, 4 * WIDTH)),
            ("gelu", QuickGELU()),
            ("c_proj", nn.Linear(4 * WIDTH, WIDTH)),
        ):
            self.mlp.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, N, D]."""
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class ClipViT(nn.Module):
    """PTUnifier's ViT-B/16 of CLIP: 11 blocks, all tokens normed; its modules are named as in the file."""

    def __init__(self, blocks: int = 11) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 16, 16, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(WIDTH))
        self.positional_embedding = nn.Parameter(torch.zeros(197, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*(Block() for _ in range(blocks)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the tokens [B, 197, D]."""
        patches = self.conv1(images).flatten(2).mT
        first = self.class_embedding.expand(len(images), 1, -1)
        x = self.ln_pre(torch.cat([first, patches], 1) + self.positional_embedding)
        return self.ln_post(self.transformer.resblocks(x))


def ptunifier(image: nn.Module) -> dict[str, Tensor]:
    """The state of PTUnifier: its vision encoder also keeps the embeddings of CLIP's text encoder."""
    return {
        **prefixed("vision_encoder.visual.", image.state_dict()),
        "vision_encoder.positional_embedding": torch.zeros(77, 512),
        "vision_encoder.token_embedding.weight": torch.zeros(49408, 512),
        "vision_encoder.ln_final.weight": torch.zeros(512),
        "language_encoder.embeddings.word_embeddings.weight": torch.zeros(9, WIDTH),
        "multi_modal_vision_layers.0.attention.self.query.weight": torch.zeros(WIDTH, WIDTH),
        "pseudo_vision_token_pool": torch.zeros(2048, WIDTH),
    }


def _convirt_of_another_text() -> dict[str, Tensor]:
    """ConVIRT with a pooler outside of its text model."""
    state = convirt(resnet50(), bert(30000), (mlp(2048), mlp(WIDTH)))
    return {name.replace("linguistic.encoder.pooler", "linguistic.pooler"): t for name, t in state.items()}


def _m_flag() -> dict[str, Tensor]:
    return m_flag(resnet50(), bert(30522), (normed(2048), normed(WIDTH)))


def _refers(beginning: str) -> dict[str, Tensor]:
    return refers(PlainViT(), bert(), nn.Linear(WIDTH, 3 * WIDTH), beginning)


MADE: dict[str, Callable[[], dict[str, Tensor]]] = {
    "ConVIRT (BenchX), ResNet-50": lambda: convirt(resnet50(), bert(), (mlp(2048), mlp(WIDTH))),
    "ConVIRT (BenchX), ResNet-50, image encoder": _convirt_of_another_text,
    "M-FLAG (BenchX), ResNet-50": _m_flag,
    "REFERS (BenchX), ViT-B/16": partial(_refers, "visual.vit.transformer."),
    "REFERS (BenchX), ViT-B/16, names of its converter": partial(_refers, "visual.vit."),
    "PTUnifier (BenchX), ViT-B/16": lambda: ptunifier(ClipViT()),
}
"""The state dict of each layout, by the layout's name."""
