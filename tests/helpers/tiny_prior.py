"""PRIOR with encoders of a few thousand weights and reports for it, and PRIOR without encoders."""

import torch

from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.prior.model import PRIOR
from prior_bench.registry import METHODS

REPORTS = [
    ("The heart is large.", "No effusion.", "The lungs are clear."),
    ("No pneumothorax.",),
    ("Small left effusion.", "No effusion."),
]


def tiny_prior(**changes):
    """In evaluation mode, with fixed random weights; stage 3 with four queries."""
    torch.manual_seed(0)
    tokenizer = ReportTokenizer.train(REPORTS, vocab_size=100)
    text = dict(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    sizes = dict(embed_dim=32, prototypes=12, queries=4, decoder_layers=1, decoder_heads=2, stage=3)
    image = dict(
        model_name="resnet18",
        in_channels=1,
        pool="attention",
        model_args=dict(channels=(8, 8, 16, 16)),
        input=dict(size=64),
    )
    arguments = {**sizes, **changes}
    encoders = dict(image_encoder=image, text_encoder=dict(config=text, tokenizer=tokenizer))
    return METHODS.build(dict(type="prior", **encoders, **arguments)).eval()


class NoEncoder(torch.nn.Module):
    """Stands for an encoder of which only the widths matter."""

    dim = local_dim = 32


def heads(**changes):
    """PRIOR without encoders, its random parts off."""
    torch.manual_seed(0)
    arguments = dict(embed_dim=32, prototypes=12, queries=6, decoder_layers=1, decoder_heads=2)
    arguments |= dict(image_masking=0.0, decoder_dropout=0.0, image_blocks=1)
    return PRIOR(NoEncoder(), NoEncoder(), **{**arguments, **changes})
