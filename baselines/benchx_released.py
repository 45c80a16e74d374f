"""The models that BenchX trained again and released: ConVIRT, M-FLAG, REFERS and PTUnifier.

BenchX (arXiv 2410.21969; code at commit b874fa6) trained eight methods on the same data. Its files of GLoRIA,
MGCA, MedKLIP and MRM have the names of their authors' files, and the layouts of these read them; MedCLIP's
are those of its authors. The method is for the evaluation of released weights, with ConVIRT's loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.api import Features, TextBatch
from prior_bench.checkpoints.known.parts import MODEL, all_but, image_encoder
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.encoders.heads import projection_head
from prior_bench.errors import unknown_name
from prior_bench.schema.base import Count

from .convirt import ConVIRT
from .mgca.heads import GlobalHead

SOURCE = "github.com/yangzhou12/BenchX"
INPUT: dict[str, Any] = {"size": 224, "resize": "crop", "mean": 0.4978, "std": 0.2449}
"""What BenchX feeds all of its models in fine-tuning and segmentation."""
EXPOSURE = (("mimic_cxr", "BenchX pre-trained it on MIMIC-CXR, by its README"),)
HEADS = ("mlp", "batch_norm", "copies")
CLINICAL_BERT = 28996
"""Number of words of BioClinicalBERT."""
LONGEST = 97
"""Longest text in tokens, in BenchX's zero-shot code."""
FED = (
    "input as in BenchX's fine-tuning, which feeds all of its models alike; the input of pre-training is not "
    "in its repository"
)
GENERAL = "microsoft/BiomedVLP-CXR-BERT-general"
PTUNIFIER = "vision_encoder.visual."
_JOINED_PARTS = {
    "attention_norm.": "norm1.",
    "attn.qkv.": "attn.qkv.",
    "attn.out.": "attn.proj.",
    "ffn_norm.": "norm2.",
    "ffn.fc1.": "mlp.fc1.",
    "ffn.fc2.": "mlp.fc2.",
}
_CLIP_PARTS = {
    "ln_1.": "norm1.",
    "attn.in_proj_": "attn.qkv.",
    "attn.out_proj.": "attn.proj.",
    "ln_2.": "norm2.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
}


class ReleasedBenchX(ConVIRT):
    """ConVIRT, M-FLAG or REFERS with the architecture of BenchX's weights; scores are cosines.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`.
        text_encoder: arguments of :class:`TextEncoder`; ``pool`` has no effect.
        embed_dim: D, number of dimensions of the joint space; not used with ``copies``.
        heads: ``"mlp"`` (ConVIRT), ``"batch_norm"`` (M-FLAG), or ``"copies"`` (REFERS): images have no head,
            but their vector three times, in place of three views of a patient; texts have a linear one.
        pooler: whether a text is BERT's pooler (linear, tanh) of its first token, or that token itself.
        arguments: further arguments of :class:`ConVIRT`.

    Raises:
        BenchError: the heads are unknown.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 768,
        heads: str = "mlp",
        pooler: bool = True,
        **arguments: Any,
    ):
        super().__init__(image_encoder, text_encoder, embed_dim, **arguments)
        if heads not in HEADS:
            raise unknown_name("heads", heads, list(HEADS), where="method.heads")
        image, text = self.image_encoder.dim, self.text_encoder.dim
        self.copies = 3 if heads == "copies" else 1
        if heads == "batch_norm":
            self.image_head, self.text_head = (GlobalHead(dim, 2048, embed_dim) for dim in (image, text))
        elif heads == "mlp":
            self.image_head, self.text_head = (
                projection_head("mlp", dim, embed_dim, embed_dim) for dim in (image, text)
            )
        else:
            self.image_head, self.text_head = nn.Identity(), nn.Linear(text, self.copies * image)
        self.pooler = nn.Linear(text, text) if pooler else None

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] in the joint space, without local features."""
        return Features(self.image_head(self.image_encoder(images).global_).repeat(1, self.copies))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space, without local features."""
        first = self.text_encoder(text).tokens[:, 0]
        pooled = first if self.pooler is None else torch.tanh(self.pooler(first))
        return Features(self.text_head(pooled))


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of BenchX's files (entry point ``prior_bench.layouts``)."""
    return (
        _convirt(),
        _convirt_image(),
        _m_flag(),
        _refers("REFERS (BenchX), ViT-B/16", "visual.vit.transformer."),
        _refers("REFERS (BenchX), ViT-B/16, names of its converter", "visual.vit."),
        _ptunifier(),
    )


def _method(encoder: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    text = {"config": {"model_type": "bert", "num_hidden_layers": 12}, "pool": "cls"}
    return {"type": "benchx_released", "image_encoder": encoder, "text_encoder": text, **arguments}


def _convirt() -> ReleasedLayout:
    return ReleasedLayout(
        name="ConVIRT (BenchX), ResNet-50",
        marks=(
            *("visual.model.layer1.", "visual.model.layer4.", "vis_proj.", "lin_proj."),
            "linguistic.encoder.pooler.",
        ),
        shapes=(
            ("linguistic.encoder.embeddings.word_embeddings.weight", (CLINICAL_BERT, 768)),
            ("linguistic.pooler.dense.weight", None),
        ),
        rename=(
            ("visual.model.", MODEL),
            ("vis_proj.", "image_head."),
            ("lin_proj.", "text_head."),
            ("linguistic.encoder.pooler.dense.", "pooler."),
            ("linguistic.encoder.", "text_encoder.model."),
        ),
        method=_method(image_encoder("resnet50", **INPUT)),
        unused=(POSITIONS, (r"visual\.model\.fc\.", "a classifier")),
        vocabulary=CLINICAL_BERT,
        max_tokens=LONGEST,
        source=SOURCE,
        notes=(FED, "its text model is taken to be BioClinicalBERT, whose number of words it has"),
        exposure=EXPOSURE,
    )


def _convirt_image() -> ReleasedLayout:
    return ReleasedLayout(
        name="ConVIRT (BenchX), ResNet-50, image encoder",
        marks=("visual.model.layer1.", "visual.model.layer4.", "vis_proj."),
        rename=(("visual.model.", MODEL),),
        method={"image_encoder": image_encoder("resnet50", **INPUT)},
        unused=(
            (r"visual\.model\.fc\.", "a classifier"),
            all_but(r"visual\.model\.", reason="the projections and the text model, which is not known"),
        ),
        source=SOURCE,
        notes=(FED, "its text model is not BioClinicalBERT with BERT's pooler, and is not read"),
        exposure=EXPOSURE,
    )


def _m_flag() -> ReleasedLayout:
    return ReleasedLayout(
        name="M-FLAG (BenchX), ResNet-50",
        marks=("encoder.layer1.", "encoder.layer4.", "proj_v.", "proj_t.", "lm_model."),
        rename=(
            ("encoder.", MODEL),
            ("proj_v.", "image_head.head."),
            ("proj_t.", "text_head.head."),
            ("lm_model.", "text_encoder.model."),
        ),
        method=_method(image_encoder("resnet50", **INPUT), embed_dim=1024, heads="batch_norm", pooler=False),
        unused=(
            POSITIONS,
            (r"lm_model\.pooler\.", "BERT's pooler: the first token is taken instead"),
        ),
        vocabulary=30522,
        max_tokens=LONGEST,
        tokenizer=GENERAL,
        source=SOURCE,
        notes=(FED,),
        exposure=EXPOSURE,
    )


def _refers(name: str, beginning: str) -> ReleasedLayout:
    blocks = tuple(
        (f"{beginning}encoder.layer.{i}.{theirs}", f"{MODEL}blocks.{i}.{ours}")
        for i in range(12)
        for theirs, ours in _JOINED_PARTS.items()
    )
    return ReleasedLayout(
        name=name,
        marks=(f"{beginning}encoder.layer.11.", f"{beginning}embeddings.", "contrastive_bert.fc."),
        rename=(
            (f"{beginning}embeddings.cls_token", f"{MODEL}cls_token"),
            (f"{beginning}embeddings.position_embeddings", f"{MODEL}pos_embed"),
            (f"{beginning}embeddings.patch_embeddings.", f"{MODEL}patch_embed.proj."),
            (f"{beginning}encoder.encoder_norm.", f"{MODEL}norm."),
            *blocks,
            ("contrastive_bert.text_encoder.pooler.dense.", "pooler."),
            ("contrastive_bert.text_encoder.", "text_encoder.model."),
            ("contrastive_bert.fc.", "text_head."),
        ),
        method=_method(image_encoder("vit_base_patch16_224", img_size=224, **INPUT), heads="copies"),
        unused=(
            POSITIONS,
            (r"fusion\.", "weights of the patches of three views, for the decoder of reports"),
            (r"(backward_)?textual\.", "the decoder of reports"),
        ),
        vocabulary=CLINICAL_BERT,
        max_tokens=LONGEST,
        source=SOURCE,
        notes=(FED, "an image stands for all three views of its study, as in BenchX's zero-shot code"),
        exposure=EXPOSURE,
    )


def _ptunifier() -> ReleasedLayout:
    blocks = tuple(
        (f"{PTUNIFIER}transformer.resblocks.{i}.{theirs}", f"{MODEL}blocks.{i}.{ours}")
        for i in range(11)
        for theirs, ours in _CLIP_PARTS.items()
    )
    ends = {
        "class_embedding": "cls_token",
        "positional_embedding": "pos_embed",
        "conv1.": "patch_embed.proj.",
        "ln_pre.": "norm_pre.",
        "ln_post.": "norm.",
    }
    return ReleasedLayout(
        name="PTUnifier (BenchX), ViT-B/16",
        marks=(f"{PTUNIFIER}transformer.resblocks.10.", f"{PTUNIFIER}ln_post.", "multi_modal_vision_layers."),
        rename=(*((PTUNIFIER + theirs, MODEL + ours) for theirs, ours in ends.items()), *blocks),
        method={
            "image_encoder": image_encoder(
                "vit_base_patch16_clip_quickgelu_224",
                **INPUT,
                img_size=224,
                depth=11,  # the last block of CLIP is left out
                global_pool="avg",
                fc_norm=False,
            )
        },
        unused=(all_but(r"vision_encoder\.visual\.", reason="the text model and the layers of both"),),
        reshaped=(f"{MODEL}cls_token", f"{MODEL}pos_embed"),
        source=SOURCE,
        notes=(
            FED,
            "the global feature is the mean of the patches, which BenchX's classifier takes unless its "
            "config says otherwise; there is no such config, and the page of the weights says that "
            "classification is not supported yet",
        ),
        exposure=EXPOSURE,
    )
