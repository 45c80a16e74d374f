"""The state of CARZero as released, with a small text encoder, and texts that its treatment changes."""

from pathlib import Path

import timm
import torch
from known_files import bert, prefixed
from query_files import linear
from torch import Tensor, nn

WIDTH, DEPTH = 192, 2
"""Width of the model of tests/golden/released/carzero.json, and number of blocks of its image encoder."""
BERT = dict(hidden_size=WIDTH, num_hidden_layers=5, num_attention_heads=12, intermediate_size=48)
"""Its BERT: more layers than the four that are read."""
VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] there is no the heart en ##lar ##ge ##d pleural effusion at ##ele ##cta "
    "##sis card ##io ##me ##gal ##y pneum ##o ##thorax lungs are clear of mild ##ly left 5 cm n ##k ##now "
    "##n . , - :"
).split()
TEXTS = {
    "Atelectasis": "There is atelectasis.",
    "Cardiomegaly": "Clear. 1. There is CARDIOMEGALY, 2.5 cm: mildly-enlarged\nheart.",
    "Effusion": "There is no ünknown left pleural effusion",
    "Long": "there is no pneumothorax of the left " * 14,
}
"""Texts with what CARZero's treatment changes: punctuation, numbers, one-word sentences, length."""


def bert_of_words() -> nn.Module:
    """A BERT of that size, with one row for each word of VOCABULARY."""
    return bert(len(VOCABULARY), **BERT)


def write_words(folder: Path) -> Path:
    """A file of VOCABULARY."""
    folder.mkdir(parents=True, exist_ok=True)
    (path := folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    return path


def carzero(text: nn.Module, depth: int = 12) -> dict[str, Tensor]:
    """The state of CARZero with this BERT and so many blocks of the image encoder, under its own names."""
    width = text.config.hidden_size
    image = timm.create_model("vit_base_patch16_224", num_classes=0, depth=depth, embed_dim=width)
    layers = nn.TransformerDecoder(nn.TransformerDecoderLayer(width, 4, 1024), 4, nn.LayerNorm(width))
    decoder = prefixed("decoder.", layers.state_dict())
    norm = {
        name.replace("decoder.norm", "decoder_norm"): t for name, t in decoder.items() if "r.norm" in name
    }
    fusion = {
        "logit_scale": torch.zeros(()),
        **norm,
        **decoder,
        **linear("mlp_head.0", width, 1024),
        **linear("mlp_head.3", 1024, 512),
        **linear("mlp_head.6", 512, 256),
        **linear("mlp_head.9", 256, 1),
    }
    return {
        **prefixed("text_encoder.model.", text.state_dict()),
        **prefixed("img_encoder.model.", image.state_dict()),
        **prefixed("fusion_module.", fusion),
    }
