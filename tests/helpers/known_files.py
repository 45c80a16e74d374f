"""State dicts with the names and shapes of released files, made from the libraries' models that own them."""

import re
from functools import partial

import timm
import torch
import torchvision
import torchxrayvision
from torch import Tensor, nn
from transformers import BertConfig, BertModel, SwinConfig, SwinModel

EVA = {"patch_size": 16, "img_size": 224, "ref_feat_shape": (14, 14)}
OLD = re.compile(r"(denselayer\d+\.(?:norm|conv))(\d)\.")


def text(beginning: str) -> dict[str, Tensor]:
    """A part that no image encoder has."""
    return {f"{beginning}embeddings.word_embeddings.weight": torch.zeros(9, 4)}


def of_medclip(
    image: dict[str, Tensor], bert: nn.Module, projection: Tensor, scale: Tensor
) -> dict[str, Tensor]:
    """The state of a MedCLIP with these image encoder and projection, text encoder, projection and scale."""
    return {
        **prefixed("vision_model.", image),
        **prefixed("text_model.model.", bert.state_dict()),
        "text_model.model.embeddings.position_ids": torch.zeros(1, 512, dtype=torch.int64),
        "text_model.projection_head.weight": projection,
        "logit_scale": scale,
    }


def of_cxr_clip(image: dict[str, Tensor], width: int, bert: nn.Module) -> dict[str, Tensor]:
    """The state of a CXR-CLIP with these image encoder, of this width, and text encoder."""
    return {
        "logit_scale": torch.zeros(()),
        **image,
        **prefixed("text_encoder.text_encoder.", bert.state_dict()),
        "image_projection.projection.weight": torch.zeros(512, width),
        "image_projection.projection.bias": torch.zeros(512),
        "text_projection.projection.weight": torch.zeros(512, bert.config.hidden_size),
        "text_projection.projection.bias": torch.zeros(512),
    }


def cxr_bert(bert: nn.Module) -> dict[str, Tensor]:
    """The state of a CXR-BERT with this BERT: it has no pooler, but the head of masked language modelling."""
    width, words = bert.config.hidden_size, bert.config.vocab_size
    vector, own = torch.zeros(width), torch.zeros(128)
    names = {name: t for name, t in bert.state_dict().items() if not name.startswith("pooler.")}
    head = {"transform.dense.weight": torch.zeros(width, width), "transform.dense.bias": vector}
    head |= {"transform.LayerNorm.weight": vector, "transform.LayerNorm.bias": vector}
    head |= {"decoder.weight": torch.zeros(words, width), "decoder.bias": torch.zeros(words)}
    projection = {"dense_to_hidden.weight": torch.zeros(128, width), "dense_to_hidden.bias": own}
    projection |= {"LayerNorm.weight": own, "LayerNorm.bias": own}
    projection |= {"dense_to_output.weight": torch.zeros(128, 128), "dense_to_output.bias": own}
    return {
        **prefixed("bert.", names),
        "bert.embeddings.position_ids": torch.zeros(1, 512, dtype=torch.int64),
        "cls.predictions.bias": torch.zeros(words),
        **prefixed("cls.predictions.", head),
        **prefixed("cls_projection_head.", projection),
    }


def bert(vocabulary: int = 28996, **config: int) -> nn.Module:
    """A BERT, by default with the vocabulary of BioClinicalBERT."""
    return BertModel(BertConfig(vocab_size=vocabulary, **config))


def prefixed(beginning: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {beginning + name: tensor for name, tensor in state.items()}


def resnet50(channels: int = 3, classes: int = 1000) -> nn.Module:
    model = torchvision.models.resnet50(num_classes=classes)
    model.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return model


def children(stages: int) -> nn.Sequential:
    """A ResNet-50 as the sequence of its children, with three or four stages."""
    return nn.Sequential(*list(resnet50().children())[: 4 + stages])


def swin() -> nn.Module:
    return SwinModel(SwinConfig())


def filed_swin(model: nn.Module) -> dict[str, Tensor]:
    """The state of a Swin under the names that transformers writes to files."""
    found = {}
    for name, tensor in model.state_dict().items():
        for ours, theirs in {"q_proj": "query", "k_proj": "key", "v_proj": "value"}.items():
            name = name.replace(f"attention.{ours}.", f"attention.self.{theirs}.")
        name = name.replace("attention.o_proj.", "attention.output.dense.")
        name = name.replace("attention.relative_position_bias.", "attention.self.")
        name = name.replace("mlp.fc1.", "intermediate.dense.").replace("mlp.fc2.", "output.dense.")
        if not name.endswith("relative_position_index"):
            found[name] = tensor
    return found


def resnet_of_medclip(model: nn.Module) -> dict[str, Tensor]:
    """The state of a ResNet whose classifier is the projection, without bias."""
    model.fc = nn.Linear(2048, 512, bias=False)
    return prefixed("model.", model.state_dict())


def swin_of_medclip(model: nn.Module, projection: Tensor) -> dict[str, Tensor]:
    """The state of a Swin and its projection."""
    return {**prefixed("model.", filed_swin(model)), "projection_head.weight": projection}


def eva(size: str) -> nn.Module:
    return timm.create_model(f"eva02_{size}_patch14_224", num_classes=0, **EVA)


def filed_eva(model: nn.Module) -> dict[str, Tensor]:
    """The state of an EVA-02 under EVA-X's names, with the parts of masked pre-training."""
    names = {"mlp.fc1.": "mlp.w12.", "mlp.fc1_g.": "mlp.w1.", "mlp.fc1_x.": "mlp.w2.", "mlp.fc2.": "mlp.w3."}
    names |= {"mlp.norm.": "mlp.ffn_ln.", "q_proj.bias": "q_bias", "v_proj.bias": "v_bias"}
    found = {"mask_token": torch.zeros(1, 1, 4), "lm_head.weight": torch.zeros(9, 4)}
    found |= {"rope.freqs_cos": torch.zeros(196, 64), "blocks.0.attn.rope.freqs_sin": torch.zeros(196, 64)}
    for name, tensor in model.state_dict().items():
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        found[name.replace("fc_norm.", "norm.")] = tensor
    return found


def old_swin(model: nn.Module) -> dict[str, Tensor]:
    """The state of timm's Swin under the names of its earlier versions."""
    earlier = {
        re.sub(r"layers\.(\d)\.down", lambda m: f"layers.{int(m[1]) - 1}.down", name): tensor
        for name, tensor in model.state_dict().items()
    }
    return {
        **earlier,
        "layers.0.blocks.1.attn_mask": torch.zeros(64, 49, 49),
        "layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49),
        "projector.weight": torch.zeros(1376, 9),
        "omni_heads.0.weight": torch.zeros(14, 1376),
    }


def swin_of_timm(size: str) -> nn.Module:
    kind = {"base": ("window7_224", {}), "large": ("window12_384", {"img_size": 768})}[size]
    return timm.create_model(f"swin_{size}_patch4_{kind[0]}", num_classes=0, **kind[1])


def vit() -> nn.Module:
    return timm.create_model("vit_base_patch16_224", num_classes=0)


def masked(*parts: str) -> dict[str, Tensor]:
    """The parts of masked autoencoders beside their encoder."""
    names = ("mask_token", "decoder_pos_embed", "decoder_blocks.0.attn.qkv.weight", "decoder_norm.bias")
    return {name: torch.zeros(4) for name in (*names, *parts)}


def lite(number: int) -> nn.Module:
    return timm.create_model(f"tf_efficientnet_lite{number}", num_classes=0)


def filed_lite(model: nn.Module) -> dict[str, Tensor]:
    """The state of an EfficientNet-Lite with blocks numbered through, and a classifier."""
    ends = {"conv_stem.": "_conv_stem.", "bn1.": "_bn0.", "conv_head.": "_conv_head.", "bn2.": "_bn1."}
    first = {"conv_dw.": "_depthwise_conv.", "bn1.": "_bn1.", "conv_pw.": "_project_conv.", "bn2.": "_bn2."}
    later = {"conv_pw.": "_expand_conv.", "bn1.": "_bn0.", "conv_dw.": "_depthwise_conv.", "bn2.": "_bn1."}
    later |= {"conv_pwl.": "_project_conv.", "bn3.": "_bn2."}
    parts = [(model, ends, "")]
    blocks = [(stage, block) for stage, blocks in enumerate(model.blocks) for block in blocks]
    for number, (stage, block) in enumerate(blocks):
        parts.append((block, later if stage else first, f"_blocks.{number}."))
    found = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    for module, names, beginning in parts:
        for name, tensor in module.state_dict().items():
            ours = next((ours for ours in names if name.startswith(ours)), None)
            if ours is not None:
                found[beginning + names[ours] + name.removeprefix(ours)] = tensor
    return found


def densenet() -> nn.Module:
    return torchxrayvision.models.DenseNet(num_classes=18, in_channels=1)


def chexnet() -> nn.Module:
    model = torchvision.models.densenet121()
    model.classifier = nn.Sequential(nn.Linear(1024, 14), nn.Sigmoid())
    return model


def old_densenet(model: nn.Module) -> dict[str, Tensor]:
    """The state of torchvision's DenseNet under its first names, without counters of batches."""
    state = {OLD.sub(r"\1.\2.", name): tensor for name, tensor in model.state_dict().items()}
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def kad(stages: int) -> dict[str, Tensor]:
    model, width = resnet50(), 512 * 2 ** (stages - 2)
    whole = dict(zip(map(str, range(4 + stages)), model.children(), strict=False))
    state = {f"res_features.{n}.{k}": t for n, part in whole.items() for k, t in part.state_dict().items()}
    heads = {"res_l1.weight": torch.zeros(width, width), "res_l2.weight": torch.zeros(768, width)}
    return {**state, **prefixed("resnet.", model.state_dict()), **heads}


def projector(channels: int = 2048) -> dict[str, Tensor]:
    return {
        "projector.model.0.weight": torch.zeros(128, channels, 1, 1),
        **prefixed("projector.model.1.", nn.BatchNorm2d(128).state_dict()),
        "projector.model.3.weight": torch.zeros(128, 128, 1, 1),
        "projector.model.3.bias": torch.zeros(128),
    }


def _of_biovil_t() -> dict[str, Tensor]:
    shapes = {"backbone_to_vit.weight": (256, 2048, 1, 1), "missing_previous_emb": (1, 256, 1, 1)}
    shapes |= {"vit_pooler.type_embed": (2, 1, 256)}
    return {f"encoder.{name}": torch.zeros(shape) for name, shape in shapes.items()}


def with_clinical_bert(name: str) -> dict[str, Tensor]:
    """The state of MedKLIP or MAVL, and of their text encoder."""
    import query_files

    return {
        **getattr(query_files, name)(),
        **prefixed("text_model.", query_files.clinical_bert(bert())),
    }


def whole_kad(stages: int) -> dict[str, Tensor]:
    """The state of all parts of KAD."""
    import query_files

    return query_files.kad(stages, bert(vocabulary=30522))


OF_BENCHX = (
    "ConVIRT (BenchX), ResNet-50",
    "ConVIRT (BenchX), ResNet-50, image encoder",
    "M-FLAG (BenchX), ResNet-50",
    "REFERS (BenchX), ViT-B/16",
    "REFERS (BenchX), ViT-B/16, names of its converter",
    "PTUnifier (BenchX), ViT-B/16",
)
"""Layouts of BenchX's files."""


def of_benchx(name: str) -> dict[str, Tensor]:
    """The state of a file of BenchX, of this layout."""
    import benchx_files

    return benchx_files.MADE[name]()


def whole_carzero() -> dict[str, Tensor]:
    """The state of CARZero under the names of its file."""
    import carzero_files

    return prefixed("CARZero.", carzero_files.carzero(bert()))


KNOWN = {
    "torchxrayvision, DenseNet-121": lambda: {**densenet().state_dict(), "op_threshs": torch.zeros(18)},
    "torchxrayvision, DenseNet-121 without thresholds": lambda: densenet().state_dict(),
    "torchxrayvision, ResNet-50": lambda: {
        **prefixed("model.", resnet50(1, 18).state_dict()),
    },
    "CheXNet (arnoweng), DenseNet-121": lambda: prefixed("densenet121.", old_densenet(chexnet())),
    "BioViL, ResNet-50": lambda: {**prefixed("encoder.encoder.", resnet50().state_dict()), **projector()},
    "BioViL-T, ResNet-50": lambda: {
        **prefixed("encoder.encoder.", resnet50().state_dict()),
        **projector(512),
        **_of_biovil_t(),
    },
    "BioViL, ResNet-50, with CXR-BERT": lambda: {
        **KNOWN["BioViL, ResNet-50"](),
        **prefixed("text_model.", cxr_bert(bert(vocabulary=30522))),
    },
    "BioViL-T, ResNet-50, with CXR-BERT": lambda: {
        **KNOWN["BioViL-T, ResNet-50"](),
        **prefixed("text_model.", cxr_bert(bert(vocabulary=30522))),
    },
    "MedCLIP, ResNet-50": lambda: of_medclip(
        resnet_of_medclip(resnet50()), bert(), torch.zeros(512, 768), torch.zeros(())
    ),
    "MedCLIP, Swin-T": lambda: of_medclip(
        swin_of_medclip(swin(), torch.zeros(512, 768)), bert(), torch.zeros(512, 768), torch.zeros(())
    ),
    "CXR-CLIP, ResNet-50": lambda: of_cxr_clip(
        prefixed("image_encoder.resnet.", headless(resnet50())), 2048, bert()
    ),
    "CXR-CLIP, Swin-T": lambda: of_cxr_clip(
        prefixed("image_encoder.image_encoder.", filed_swin(swin())), 768, bert()
    ),
    "MedKLIP, ResNet-50": lambda: {
        **prefixed("res_features.", children(3).state_dict()),
        "res_l1.weight": torch.zeros(1024, 1024),
        "decoder.layers.0.norm1.weight": torch.zeros(256),
        "classifier.weight": torch.zeros(2, 256),
    },
    "MAVL, ResNet-50": lambda: {
        **prefixed("backbone.", children(3).state_dict()),
        "pool.positional_embedding": torch.zeros(197, 1024),
        "location_emb.weight": torch.zeros(768, 256, 8),
        "decoder.layers.0.norm1.weight": torch.zeros(256),
    },
    "KAD, ResNet-50": lambda: kad(4),
    "KAD at 224 pixels, ResNet-50": lambda: kad(3),
    "MedKLIP, ResNet-50, with BioClinicalBERT": lambda: with_clinical_bert("medklip"),
    "MAVL, ResNet-50, with BioClinicalBERT": lambda: with_clinical_bert("mavl"),
    "KAD, ResNet-50, with its text encoder": lambda: whole_kad(4),
    "KAD at 224 pixels, ResNet-50, with its text encoder": lambda: whole_kad(3),
    "CARZero, ViT-B/16": whole_carzero,
    **{name: partial(of_benchx, name) for name in OF_BENCHX},
    "MRM, ViT-B/16": lambda: {
        **vit().state_dict(),
        **masked("bert_encoder.model.w", "bert_mlp.weight", "decoder_pred.weight"),
    },
    "MaCo, ViT-B/16": lambda: {
        **vit().state_dict(),
        **masked(
            "bert_encoder.model.w", "img_mlp.weight", "decoder_pred.weight", "pos_weight_img.weight", "Tpar"
        ),
    },
    "ECAMP, ViT-B/16": lambda: {
        **vit().state_dict(),
        **masked("bert_encoder.model.w", "bert_mlp.weight", "decoder_pred.weight", "super_res.conv1.weight"),
    },
    "EfficientNet-Lite0, ImageNet": lambda: filed_lite(lite(0)),
    "EfficientNet-Lite1, ImageNet": lambda: filed_lite(lite(1)),
    "EfficientNet-Lite2, ImageNet": lambda: filed_lite(lite(2)),
    "EfficientNet-Lite3, ImageNet": lambda: filed_lite(lite(3)),
    "EfficientNet-Lite4, ImageNet": lambda: filed_lite(lite(4)),
    "EVA-X-Ti/16": lambda: filed_eva(eva("tiny")),
    "EVA-X-S/16": lambda: filed_eva(eva("small")),
    "EVA-X-B/16": lambda: filed_eva(eva("base")),
    "Ark, Swin-B": lambda: old_swin(swin_of_timm("base")),
    "Ark+, Swin-L at 768 pixels": lambda: old_swin(swin_of_timm("large")),
}
"""The state dict of each layout, by the layout's name."""
WITH_TEXT = (
    *("MedCLIP, ResNet-50", "MedCLIP, Swin-T", "CXR-CLIP, ResNet-50", "CXR-CLIP, Swin-T"),
    *("BioViL, ResNet-50, with CXR-BERT", "BioViL-T, ResNet-50, with CXR-BERT"),
    *("MedKLIP, ResNet-50, with BioClinicalBERT", "MAVL, ResNet-50, with BioClinicalBERT"),
    *(f"KAD{size}, ResNet-50, with its text encoder" for size in ("", " at 224 pixels")),
    "CARZero, ViT-B/16",
    *(name for name in OF_BENCHX if "image encoder" not in name and "PTUnifier" not in name),
)
"""Layouts with a text encoder; all others are of an image encoder alone."""


def headless(model: nn.Module) -> dict[str, Tensor]:
    """The state of a ResNet without its classifier."""
    return {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("fc.")}


def light(name: str) -> dict[str, Tensor]:
    """Tensors of the right shapes that take no memory, each one number repeated; all different."""
    with torch.device("meta"):
        state = KNOWN[name]()
    return {
        key: torch.full((1,), 0.01 + i / 10_000 if tensor.is_floating_point() else 1, dtype=tensor.dtype)[
            0
        ].expand(tensor.shape)
        for i, (key, tensor) in enumerate(state.items())
    }


def shaken(model: nn.Module) -> nn.Module:
    """Random statistics, scales and positions, so that every tensor matters; in evaluation mode.

    Biases and running means are near 0, all others near 1: otherwise all activations of a ResNet would be 0.
    """
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and tensor.ndim == 1:
                near_1 = not name.endswith(("bias", "running_mean"))
                tensor.copy_(torch.rand(tensor.shape, generator=random) * 0.3 + near_1 * 0.8)
            elif tensor.is_floating_point() and re.search(r"(cls_token|pos_embed|bias_table)$", name):
                tensor.copy_(torch.randn(tensor.shape, generator=random) * 0.5)
    return model.eval()
