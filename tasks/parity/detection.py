"""The ingredients of a detection protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of detection, in the order of the data's way."""
    from . import dense_heads, dense_images, transforms, yolo
    from . import dense_training as training

    return {
        "test transform": Ingredient(
            "file to tensor in evaluation: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "boxes": Ingredient("annotation to boxes, and their scaling", dense_images.boxes),
        "training transform": Ingredient(
            "file and boxes in training, with the drawn parameters given", dense_images.training_image
        ),
        "split": Ingredient("which images are in train, validation and test", data.split),
        "label fraction": Ingredient("which images are drawn for 1 % and 10 %", data.label_fraction),
        "batches": Ingredient("batch size, shuffling, sampling, incomplete last batches", training.batches),
        "head": Ingredient(
            "layers, shapes and number of parameters, statistics of the initialisation", dense_heads.detector
        ),
        "frozen parts": Ingredient(
            "what has a gradient; BatchNorm's statistics after one step", dense_heads.frozen
        ),
        "anchors": Ingredient("sizes of the anchors at each level, and their places", yolo.anchors),
        "assigned targets": Ingredient(
            "which anchor learns which given box, which are ignored", yolo.assigned_targets
        ),
        "loss": Ingredient("value on given outputs and boxes, and its gradient", yolo.loss),
        "optimiser": Ingredient(
            "type, groups of parameters, rate, weight decay, momentum or betas", training.optimiser
        ),
        "schedule": Ingredient("learning rates of the first three epochs", training.schedule),
        "training step": Ingredient("clipping, accumulation, precision", training.training_step),
        "stopping and selection": Ingredient(
            "a history in, the number of epochs and the chosen one out", training.stopping
        ),
        "decoding": Ingredient("given outputs to boxes and confidences", yolo.decoding),
        "suppression": Ingredient(
            "given boxes after thresholds and non-maximum suppression", yolo.suppression
        ),
        "metric": Ingredient("metrics of given boxes", yolo.metric),
    }
