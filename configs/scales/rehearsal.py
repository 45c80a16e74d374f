"""The scale of a rehearsal: all as in the paper, except the weights, the pixels and the number of steps.

prior-bench run mgca_tables --rehearse

Every protocol stays as it is. The data sets have the real number of rows (``prior_bench/rehearsal``). Rows
are networks of the real architectures with random weights, because released weights need not be there.
"""

title = "rehearsal: synthetic pixels, random weights, a share of the steps"
notes = [
    "Rehearsal: it shows that every cell runs at its real size, and how long it takes. The numbers in this "
    "table mean nothing (docs/rehearsal.md).",
]
generator = "rehearsal"

_vision = dict(model_name="resnet50", in_channels=3, input=dict(size=224, mean=0.5, std=0.5, resize="pad"))
# ClinicalBERT's size, with random weights and a tokenizer of the sample benchmark
_bert = dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072)


def _method(**values):
    text = dict(config=_bert, **values.pop("text"))
    image = dict(_vision, **values.pop("image", {}))
    made = dict(_delete_=True, image_encoder=image, text_encoder=text, **values)
    return dict(type="random", config="convirt_sample", overrides=dict(method=made))


# the architectures of configs/pretrain/*_r50_mimic.py
backbones = {
    "Random": dict(type="random", image_encoder="resnet50"),
    "ImageNet": dict(type="random", image_encoder="resnet50"),
    "ConVIRT": _method(type="convirt", text=dict(max_tokens=512, pool="max"), embed_dim=512),
    "GLoRIA": _method(type="gloria", text=dict(max_tokens=97, last_layers=4), upsample=299, chunk=16),
    "MGCA": _method(
        type="mgca",
        text=dict(max_tokens=112),
        embed_dim=128,
        hidden_dim=2048,
        upsample=299,
        prototypes=500,
    ),
    "PRIOR": _method(
        type="prior",
        image=dict(in_channels=1, pool="attention"),
        text=dict(max_tokens=256),
        embed_dim=768,
        prototypes=512,
        queries=16,
        decoder_layers=8,
    ),
}

# options of readers in addition to those of rehearsal:NAME
data = {"covidx@covidx_cxr4": dict(version="unnamed")}
