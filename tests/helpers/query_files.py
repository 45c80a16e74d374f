"""States of MedKLIP, KAD and MAVL as released, and the folder of their text encoder."""

import json
from pathlib import Path

import torch
from known_files import bert, children, prefixed, resnet50
from official_weights import drawn
from torch import Tensor, nn
from two_tower_files import WORDS, write_small_vocabulary

NARROW = dict(hidden_size=768, num_hidden_layers=2, num_attention_heads=12, intermediate_size=48)
"""The BERT of tests/golden/released/{medklip,mavl,kad}.json, as wide as the authors' code wants it."""


def linear(name: str, inputs: int, outputs: int, *kernel: int) -> dict[str, Tensor]:
    """The state of a linear layer, or of a convolution."""
    return {f"{name}.weight": torch.zeros(outputs, inputs, *kernel), f"{name}.bias": torch.zeros(outputs)}


def decoder(width: int) -> dict[str, Tensor]:
    """The state of the decoder of findings."""
    layers = nn.TransformerDecoder(nn.TransformerDecoderLayer(width, 4, 1024), 4, nn.LayerNorm(width))
    return prefixed("decoder.", layers.state_dict())


def medklip() -> dict[str, Tensor]:
    """The state of MedKLIP."""
    return {
        **linear("disease_embedding_layer", 768, 256),
        **linear("cl_fc", 256, 768),
        **prefixed("res_features.", children(3).state_dict()),
        **linear("res_l1", 1024, 1024),
        **linear("res_l2", 1024, 256),
        **decoder(256),
        **linear("classifier", 256, 2),
    }


def mavl() -> dict[str, Tensor]:
    """The state of MAVL, of nine texts a finding."""
    return {
        **linear("disease_embedding_layer", 768, 256),
        **prefixed("backbone.", children(3).state_dict()),
        "pool.positional_embedding": torch.zeros(197, 1024),
        **{k: t for part in "kqv" for k, t in linear(f"pool.{part}_proj", 1024, 1024).items()},
        **linear("pool.c_proj", 1024, 256),
        **linear("res_l1.0", 1024, 1024, 1, 1),
        "res_l1.1.weight": torch.zeros(1),
        **linear("res_l2", 1024, 256, 1, 1),
        **linear("location_emb", 256, 768, 9),
        **decoder(256),
        **linear("classifier", 9 * 256, 2),
    }


def kad(stages: int, text: nn.Module) -> dict[str, Tensor]:
    """The state of KAD with this BERT; the keys of its three parts are the beginnings of the names."""
    width = 256 * 2 ** (stages - 1)
    image = {
        **prefixed("resnet.", resnet50().state_dict()),
        **prefixed("res_features.", children(stages).state_dict()),
        **linear("res_l1", width, width),
        **linear("res_l2", width, 768),
    }
    found = decoder(768)
    model = {
        "logit_scale": torch.zeros(()),
        **{name.replace("decoder.norm", "decoder_norm"): t for name, t in found.items() if ".norm." in name},
        **found,
        **linear("mlp_head.0", 768, 2),
    }
    words = {
        "logit_scale": torch.zeros(()),
        **prefixed("bert_model.", text.state_dict()),
        **linear("mlp_embed.0", 768, 768),
        **linear("mlp_embed.2", 768, 768),
    }
    return {
        **prefixed("image_encoder.", image),
        **prefixed("text_encoder.", words),
        **prefixed("model.", model),
    }


def narrow_bert() -> nn.Module:
    """A BERT of that size."""
    return bert(WORDS, **NARROW)


def clinical_bert(model: nn.Module) -> dict[str, Tensor]:
    """The state of BioClinicalBERT with this BERT, as on the hub: with the heads of its pre-training."""
    width, words = model.config.hidden_size, model.config.vocab_size
    return {
        **prefixed("bert.", model.state_dict()),
        "bert.embeddings.position_ids": torch.zeros(1, 512, dtype=torch.int64),
        "cls.predictions.bias": torch.zeros(words),
        **linear("cls.predictions.transform.dense", width, width),
        "cls.seq_relationship.weight": torch.zeros(2, width),
    }


def write_clinical_bert(folder: Path, state: dict[str, Tensor] | None = None, **config) -> Path:
    """A folder of such a BERT of that size."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = {"model_type": "bert", "vocab_size": WORDS, **NARROW, **config}
    (folder / "config.json").write_text(json.dumps(stated))
    state = drawn(clinical_bert(narrow_bert())) if state is None else state
    torch.save(state, folder / "pytorch_model.bin")
    write_small_vocabulary(folder)
    return folder


def parts_of(state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """KAD's state as its file has it: by part."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        found.setdefault(part, {})[rest] = tensor
    return found
