"""GLoRIA and MGCA with encoders of a few thousand weights, and a batch for them."""

import torch

from prior_bench.api import PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.registry import METHODS

TEXTS = [
    ("The heart is enlarged.",),
    ("No pleural effusion.", "The lungs are clear."),
    ("Left basal atelectasis is seen.",),
    ("Clear.",),
]
TOKENIZER = ReportTokenizer.train(TEXTS, 120, 32)
CNN = dict(
    model_name="resnet18", in_channels=1, input=dict(size=64), model_args=dict(channels=(8, 8, 16, 16))
)
VIT = dict(
    model_name="vit_tiny_patch16_224",
    in_channels=1,
    input=dict(size=64),
    model_args=dict(embed_dim=16, depth=2, num_heads=2),
)
TEXT = dict(
    config=dict(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    ),
    tokenizer=TOKENIZER,
)


def build(kind: str, image=CNN, **arguments):
    """A method with fixed random weights."""
    torch.manual_seed(0)
    return METHODS.build(dict(type=kind, image_encoder=image, text_encoder=TEXT, embed_dim=8, **arguments))


def batch() -> PretrainBatch:
    """One image for each of TEXTS."""
    images = torch.randn(len(TEXTS), 1, 64, 64, generator=torch.Generator().manual_seed(1))
    return PretrainBatch(images, TOKENIZER(TEXTS))


def train(method, steps: int) -> list[float]:
    """Losses while fitting one batch."""
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        loss = sum(v for name, v in method.loss(batch()).items() if name.startswith("loss"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses
