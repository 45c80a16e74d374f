"""Small models of open_clip with random weights, in the layouts of the hub."""

import json
from pathlib import Path

import open_clip
import torch
from small_transformers import TEXT, word_tokenizer

VIT = dict(image_size=32, patch_size=8, width=32, head_width=8, layers=2)
OWN_TEXT = dict(context_length=20, vocab_size=49408, width=24, heads=4, layers=2)
TIMM = dict(timm_model_name="test_vit", timm_model_pretrained=False, timm_pool="", timm_proj="linear")
RESNET = dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=8)
PREPARATION = dict(mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.3], interpolation="bicubic", resize_mode="squash")
KINDS = {
    "vit": dict(embed_dim=16, vision_cfg=VIT, text_cfg=OWN_TEXT),
    "vit_siglip": dict(
        embed_dim=16, vision_cfg=VIT, text_cfg=OWN_TEXT, custom_text=True, init_logit_bias=-1.0
    ),
    "resnet": dict(embed_dim=16, vision_cfg=RESNET, text_cfg=OWN_TEXT),
    "bert": dict(  # as BiomedCLIP
        embed_dim=16,
        vision_cfg=dict(**TIMM, image_size=160),
        text_cfg=dict(
            hf_model_name="ORG/bert",
            hf_tokenizer_name="ORG/bert",
            hf_proj_type="mlp",
            hf_pooler_type="cls_last_hidden_state_pooler",
            context_length=20,
        ),
    ),
}


def save(kind, folder, preparation=None):
    """Save a small model of a kind as a folder; return it as open_clip builds it, in evaluation mode."""
    from transformers import BertConfig

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads(json.dumps(KINDS[kind]))
    if kind == "bert":
        words = word_tokenizer(folder)
        BertConfig(**TEXT, vocab_size=words, max_position_embeddings=20, pad_token_id=0).save_pretrained(
            folder
        )
        config["text_cfg"] |= dict(hf_model_name=str(folder), hf_model_pretrained=False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = {k: v for k, v in config.items() if k != "custom_text"}
        custom = kind in ("bert", "vit_siglip")
        model = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**built)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    config["text_cfg"] = KINDS[kind]["text_cfg"]
    stored = {"model_cfg": config, "preprocess_cfg": preparation or PREPARATION}
    (folder / "open_clip_config.json").write_text(json.dumps(stored))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return model.eval()
