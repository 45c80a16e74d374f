"""The toy scale at which the papers' suites run on synthetic data, in minutes on two CPU cores.

prior-bench run mgca_tables --data sample --jobs 2

A suite keeps its evaluations, label fractions and tables. Every protocol keeps its split rule, head, loss,
metrics and defects. This file lists everything that changes. Each record stores the changed protocol.
"""

title = "sample benchmark: synthetic data, toy scale"
notes = [
    "Toy scale: 128-pixel phantoms, a few hundred per data set, one seed, small networks at 64 pixels, short "
    "training (configs/scales/sample.py). The columns are the paper's; the numbers say nothing about it.",
    "Split rules with fixed counts use the same shares of the available images. The papers' lists of images "
    "are drawn again.",
]
seeds = [0]

# the backbone of each row: those of the study, so that its weights are used again
backbones = {
    "Random": dict(type="random", config="convirt_sample"),
    "ConVIRT": dict(type="pretrain", config="convirt_sample"),
    "GLoRIA": dict(type="pretrain", config="gloria_sample"),
    "MGCA": dict(type="pretrain", config="mgca_sample"),
    "PRIOR": dict(type="pretrain", config="prior_sample"),
}
kept = ["card"]  # released weights have no counterpart at toy scale; they take images at their own size
left_out = {"ImageNet": "its weights require a download and belong to other networks than these"}

# options of readers in addition to those of sample:NAME, by data reference of the suite or by data set
data = {
    "chexpert": dict(counts="shares"),
    "rsna_pneumonia": dict(counts="shares"),
    "covidx@covidx_cxr4": dict(version="unnamed"),
    # of BenchX's findings, those of the synthetic images
    "vindr_cxr": dict(
        labels=[
            "Atelectasis",
            "Cardiomegaly",
            "Consolidation",
            "Lung Opacity",
            "Nodule/Mass",
            "Pleural effusion",
            "Pneumothorax",
        ]
    ),
}

# --- protocols ------------------------------------------------------------------------------------------
# All sizes in pixels are the paper's times 64 / 224. Inputs of 512 pixels become 64 too.

_input = dict(size=64)
_crop = dict(input=_input, train=dict(Resize=dict(size=73), RandomCrop=dict(size=64)), eval=dict(Resize=73))
_unet = dict(channels=(48, 32, 16, 8))
_smp_unet = dict(channels=(48, 32, 16, 8, 4))
_yolo = dict(width=0.125)
_lovt_yolo = dict(
    _yolo,
    anchors=(
        ((18.5, 13.9), (24.1, 30.5), (57.5, 50.3)),
        ((4.6, 9.4), (9.5, 6.9), (9.1, 18.3)),
        ((1.5, 2.0), (2.5, 4.6), (5.1, 3.5)),
    ),
)

_lovt_linear = dict(transform=dict(input=_input), batch_size=16, stopping=dict(epochs=10, patience=None))
_lovt_unet = dict(
    transform=dict(input=_input),
    head=dict(channels=(256, 128, 64, 32, 16, 8)),
    optimizer=dict(lr=1e-2),
    batch_size=4,
    stopping=dict(epochs=10, patience=None),
)
_lovt_detection = dict(
    transform=dict(input=_input),
    head=_lovt_yolo,
    optimizer=dict(lr=3e-3),
    batch_size=4,
    stopping=dict(epochs=12, patience=None),
)
_lovt_finetune = dict(_lovt_detection, optimizer=dict(lr=3e-3, frozen_steps=10, frozen_lr=3e-3))
# LoVT trains longer on fewer labels
_on_10_percent = dict(stopping=dict(epochs=24, patience=None))
_on_1_percent = dict(stopping=dict(epochs=48, patience=None))

# the first pattern that matches a protocol's name applies; without a match, the protocol does not change
protocols = {
    # classification
    "clean/linear_probe": dict(),
    "mgca/linear_chexpert": dict(
        transform=dict(_crop, train=dict(_crop["train"], GaussianBlur=dict(kernel_size=3, sigma=(0.1, 0.6)))),
        optimizer=dict(lr=2e-2),
        batch_size=16,
        stopping=dict(epochs=4, patience=None),
    ),
    "*/linear_*": dict(
        transform=_crop, optimizer=dict(lr=2e-2), batch_size=16, stopping=dict(epochs=8, patience=None)
    ),
    "benchx/finetune_*": dict(
        transform=dict(input=_input, train=dict(RandomResizedCrop=dict(size=64))),
        optimizer=dict(lr=2e-3, warmup=5, total=100),
        batch_size=16,
        stopping=dict(epochs=6, patience=3),
    ),
    "prior/finetune": dict(
        optimizer=dict(lr=2e-3, warmup=10), batch_size=32, stopping=dict(epochs=5, patience=None)
    ),
    # zero-shot: the reports of the sample benchmark use other words, so it has its own prompts
    "gloria/zero_shot": dict(
        transform=dict(input=_input, eval=dict(Resize=73)), options=dict(prompts="sample")
    ),
    **{
        name: dict(transform=dict(input=_input), options=dict(prompts="sample"))
        for name in ("*/zero_shot", "prior/zero_shot_draws")
    },
    # segmentation
    "lovt/segmentation_linear_*_1": dict(_lovt_linear, **_on_1_percent),
    "lovt/segmentation_linear_*_10": dict(_lovt_linear, **_on_10_percent),
    "lovt/segmentation_linear_*": _lovt_linear,
    "benchx/segmentation_*": dict(
        transform=dict(input=_input),
        head=dict(channels=(32,)),
        optimizer=dict(lr=2e-3, warmup=8),
        stopping=dict(iterations=100, interval=25),
    ),
    "clean/segmentation_*": dict(
        head=dict(channels=(32, 16, 8)),
        optimizer=dict(lr=1e-2),
        batch_size=4,
        stopping=dict(epochs=10, patience=None),
    ),
    "lovt/segmentation_unet_frozen_*": _lovt_unet,
    **{
        name: dict(_lovt_unet, optimizer=dict(lr=1e-2, frozen_steps=10, frozen_lr=1e-2))
        for name in ("lovt/segmentation_unet_finetune_*", "prior/segmentation_*")
    },
    **{
        name: dict(
            transform=dict(input=_input),
            head=_smp_unet,
            optimizer=dict(lr=1e-2),
            batch_size=4,
            stopping=dict(epochs=10, patience=None),
        )
        for name in ("mgca/segmentation_*", "gloria/segmentation_*")
    },
    "*/segmentation_*": dict(
        transform=dict(input=_input),
        head=_unet,
        optimizer=dict(lr=1e-2),
        batch_size=4,
        stopping=dict(epochs=10, patience=None),
    ),
    # detection
    "mgca/detection_*": dict(
        transform=dict(input=_input),
        head=_yolo,
        optimizer=dict(lr=3e-3),
        batch_size=4,
        stopping=dict(epochs=12, patience=None),
    ),
    "lovt/detection_finetune_*_1": dict(_lovt_finetune, **_on_1_percent),
    "lovt/detection_finetune_*_10": dict(_lovt_finetune, **_on_10_percent),
    "lovt/detection_finetune_*": _lovt_finetune,
    "prior/detection_rsna": _lovt_finetune,
    "lovt/detection_*_1": dict(_lovt_detection, **_on_1_percent),
    "lovt/detection_*_10": dict(_lovt_detection, **_on_10_percent),
    "clean/detection_*": dict(
        head=_yolo, optimizer=dict(lr=3e-3), batch_size=4, stopping=dict(epochs=12, patience=None)
    ),
    "*/detection_*": _lovt_detection,
}
