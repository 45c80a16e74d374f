"""The toy scale at which the papers' suites run on synthetic data, in minutes on two CPU cores.

prior-bench run mgca_tables --data sample --jobs 2

A suite keeps its evaluations, label fractions and tables, and every protocol its split rule, head, loss,
metrics and defects. What follows is all that changes, and each record holds its protocol as changed.
"""

title = "sample benchmark: synthetic data, toy scale"
notes = [
    "Toy scale: 192-pixel phantoms, a few hundred per data set, one seed, small networks at 96 pixels, short "
    "training (configs/scales/sample.py). The columns are the paper's; the numbers say nothing about it.",
    "Fixed counts of split rules are taken as shares of the images there are, and the papers' lists of "
    "images are drawn anew.",
]
seeds = [0]

# which backbone stands for each row: the demo's, so that weights pre-trained for it are used again
backbones = {
    "Random": dict(type="random", config="convirt_sample"),
    "ConVIRT": dict(type="pretrain", config="convirt_sample"),
    "GLoRIA": dict(type="pretrain", config="gloria_sample"),
    "MGCA": dict(type="pretrain", config="mgca_sample"),
    "PRIOR": dict(type="pretrain", config="prior_sample"),
}
left_out = {"ImageNet": "its weights are downloaded, and are for other networks than these"}

# readers' options besides those of sample:NAME, by a suite's reference or by the data set's name
data = {
    "chexpert": dict(counts="shares"),
    "rsna_pneumonia": dict(counts="shares"),
    "covidx@covidx_cxr4": dict(version="unnamed"),
}

# --- protocols ------------------------------------------------------------------------------------------
# All sizes in pixels are those of the paper times 96 / 224 (what has 512 pixels gets 96 too).

_input = dict(size=96)
_crop = dict(input=_input, train=dict(Resize=dict(size=110), RandomCrop=dict(size=96)), eval=dict(Resize=110))
_unet = dict(channels=(48, 32, 16, 8))
_yolo = dict(width=0.125)
_lovt_yolo = dict(
    _yolo,
    anchors=(
        ((27.7, 20.8), (36.1, 45.8), (86.3, 75.4)),
        ((6.9, 14.1), (14.3, 10.4), (13.7, 27.5)),
        ((2.3, 3.0), (3.7, 6.9), (7.6, 5.3)),
    ),
)

_lovt_linear = dict(transform=dict(input=_input), batch_size=16, stopping=dict(epochs=10, patience=None))
_lovt_detection = dict(
    transform=dict(input=_input),
    head=_lovt_yolo,
    optimizer=dict(lr=3e-3),
    batch_size=4,
    stopping=dict(epochs=12, patience=None),
)
# LoVT trains longer on fewer labels
_on_10_percent = dict(stopping=dict(epochs=24, patience=None))
_on_1_percent = dict(stopping=dict(epochs=48, patience=None))

# the first pattern that fits a protocol's name counts; a protocol that none fits runs as it is
protocols = {
    # classification
    "mgca/linear_chexpert": dict(
        transform=dict(_crop, train=dict(_crop["train"], GaussianBlur=dict(kernel_size=5, sigma=(0.1, 0.9)))),
        optimizer=dict(lr=2e-2),
        batch_size=16,
        stopping=dict(epochs=4, patience=None),
    ),
    "*/linear_*": dict(
        transform=_crop, optimizer=dict(lr=2e-2), batch_size=16, stopping=dict(epochs=8, patience=None)
    ),
    "benchx/finetune_*": dict(
        transform=dict(input=_input, train=dict(RandomResizedCrop=dict(size=96))),
        optimizer=dict(lr=2e-3, warmup=5, total=100),
        batch_size=16,
        stopping=dict(epochs=6, patience=3),
    ),
    "prior/finetune": dict(
        optimizer=dict(lr=2e-3, warmup=10), batch_size=32, stopping=dict(epochs=5, patience=None)
    ),
    # zero-shot: the sample's reports have words of their own, and so have its prompts
    "gloria/zero_shot": dict(
        transform=dict(input=_input, eval=dict(Resize=110)), options=dict(prompts="sample")
    ),
    "*/zero_shot": dict(transform=dict(input=_input), options=dict(prompts="sample")),
    # segmentation
    "lovt/segmentation_linear_*_1": dict(_lovt_linear, **_on_1_percent),
    "lovt/segmentation_linear_*_10": dict(_lovt_linear, **_on_10_percent),
    "lovt/segmentation_linear_*": _lovt_linear,
    "benchx/segmentation_*": dict(
        transform=dict(input=_input),
        head=dict(channels=(32,)),
        optimizer=dict(lr=2e-3),
        stopping=dict(iterations=100, interval=25),
    ),
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
    "lovt/detection_*_1": dict(_lovt_detection, **_on_1_percent),
    "lovt/detection_*_10": dict(_lovt_detection, **_on_10_percent),
    "*/detection_*": _lovt_detection,
}
