"""Small models of transformers with random weights, saved by transformers in the layouts of the hub."""

import json
from pathlib import Path

import torch
import transformers as hf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

VISION = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=32)
TEXT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
WORDS = (
    "no evidence of pneumothorax pleural effusion edema the heart is normal lungs are clear mild .".split()
)
CLIP_STATISTICS = dict(
    image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711]
)
SHALLOW = dict(depths=[1, 1, 1, 1], hidden_sizes=[16, 16, 24, 32])


def word_tokenizer(folder, first="[CLS]", last="[SEP]", pad="[PAD]", max_length=20):
    """Save a tokenizer of whole words between special tokens; return the size of its vocabulary."""
    names = list(dict.fromkeys([pad, "[UNK]", first, last]))
    vocabulary = {word: i for i, word in enumerate([*names, *WORDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(token, vocabulary[token]) for token in dict.fromkeys((first, last))]
    backend.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    tokenizer = hf.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        pad_token=pad,
        bos_token=first,
        eos_token=last,
        model_max_length=max_length,
    )
    tokenizer.save_pretrained(folder)
    return len(vocabulary)


def processor(folder, kind, size, **more):
    """Write the config of an image processor."""
    told = dict(image_processor_type=kind, do_resize=True, do_rescale=True, do_normalize=True, size=size)
    (Path(folder) / "preprocessor_config.json").write_text(json.dumps({**told, **more}))


def _clip(folder):
    words = word_tokenizer(folder, "<s>", "</s>", pad="</s>")
    ids = dict(bos_token_id=1, eos_token_id=0, pad_token_id=0)
    text = dict(**TEXT, vocab_size=words, max_position_embeddings=20, projection_dim=16, **ids)
    vision = dict(**VISION, patch_size=8, projection_dim=16)
    model = hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    crop = dict(crop_size=dict(height=32, width=32), do_center_crop=True)
    processor(folder, "CLIPImageProcessor", dict(shortest_edge=36), resample=3, **crop, **CLIP_STATISTICS)
    return model


def _siglip(folder):
    words = word_tokenizer(folder, "</s>", "</s>", pad="</s>", max_length=12)
    text = dict(**TEXT, vocab_size=words, max_position_embeddings=12, projection_size=32)
    config = hf.SiglipConfig(text_config=text, vision_config=dict(**VISION, patch_size=8))
    size = dict(height=32, width=32)
    processor(folder, "SiglipImageProcessor", size, resample=3, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return hf.SiglipModel(config)


def _siglip2(folder):
    words = word_tokenizer(folder, "</s>", "</s>", pad="</s>", max_length=12)
    text = dict(**TEXT, vocab_size=words, max_position_embeddings=12, projection_size=32)
    vision = {**VISION, "patch_size": 8, "num_patches": 16}
    vision.pop("image_size")
    size = dict(height=32, width=32)
    processor(folder, "SiglipImageProcessor", size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return hf.Siglip2Model(hf.Siglip2Config(text_config=text, vision_config=vision))


def _dual_encoder(folder):
    words = word_tokenizer(folder)
    config = hf.VisionTextDualEncoderConfig.from_vision_text_configs(
        hf.ViTConfig(**VISION, patch_size=8),
        hf.BertConfig(**TEXT, vocab_size=words, max_position_embeddings=20),
        projection_dim=16,
    )
    size = dict(height=32, width=32)
    processor(folder, "ViTImageProcessor", size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return hf.VisionTextDualEncoderModel(config)


def _vision(folder, model, size=None, **more):
    statistics = dict(image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.25, 0.3])
    processor(folder, "ViTImageProcessor", size or dict(height=32, width=32), **statistics, **more)
    return model


def _vit(folder, heads=4, **more):
    config = hf.ViTConfig(**{**VISION, "num_attention_heads": heads, **more}, patch_size=8)
    return _vision(folder, hf.ViTModel(config))


def _dinov2(folder, registers=0):
    if registers:
        config = hf.Dinov2WithRegistersConfig(**VISION, patch_size=8, num_register_tokens=registers)
        return _vision(folder, hf.Dinov2WithRegistersModel(config))
    return _vision(folder, hf.Dinov2Model(hf.Dinov2Config(**VISION, patch_size=8)))


def _swin(folder):
    sizes = dict(
        image_size=32, patch_size=2, window_size=2, embed_dim=8, depths=[1, 2, 1], num_heads=[1, 2, 2]
    )
    return _vision(folder, hf.SwinModel(hf.SwinConfig(**sizes)))


KINDS = {
    "clip": _clip,
    "siglip": _siglip,
    "siglip2": _siglip2,
    "dual_encoder": _dual_encoder,
    "vit": _vit,
    "vit_12_heads": lambda folder: _vit(folder, heads=16),
    "vit_mae": lambda f: _vision(f, hf.ViTMAEModel(hf.ViTMAEConfig(**VISION, patch_size=8))),
    "dinov2": _dinov2,
    "dinov2_registers": lambda folder: _dinov2(folder, registers=4),
    "swin": _swin,
    "convnext": lambda f: _vision(f, hf.ConvNextModel(hf.ConvNextConfig(**SHALLOW))),
    "resnet": lambda f: _vision(f, hf.ResNetModel(hf.ResNetConfig(**SHALLOW, embedding_size=16))),
}
TWO_TOWERS = ("clip", "siglip", "siglip2", "dual_encoder")


def save(kind, folder, **options):
    """Save a small model of a kind; returns the model as transformers built it, in evaluation mode."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = KINDS[kind](folder)
        for parameter in model.parameters():  # biases and norms would hide a wrong order
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder, **options)
    return model.eval()
