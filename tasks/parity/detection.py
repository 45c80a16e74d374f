"""The ingredients of a detection protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of detection, in the order of the data's way."""
    from . import transforms

    return {
        "test transform": Ingredient(
            "file to tensor in evaluation: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "boxes": Ingredient("annotation to boxes, and their scaling"),
        "training transform": Ingredient("file and boxes in training, with the drawn parameters given"),
        "split": Ingredient("which images are in train, validation and test", data.split),
        "label fraction": Ingredient("which images are drawn for 1 % and 10 %", data.label_fraction),
        "batches": Ingredient("batch size, shuffling, sampling, incomplete last batches"),
        "head": Ingredient("layers, shapes and number of parameters, statistics of the initialisation"),
        "frozen parts": Ingredient("what has a gradient; BatchNorm's statistics after one step"),
        "anchors": Ingredient("sizes of the anchors at each level, and their places"),
        "assigned targets": Ingredient("which anchor learns which given box, which are ignored"),
        "loss": Ingredient("value on given outputs and boxes, and its gradient"),
        "optimiser": Ingredient("type, groups of parameters, rate, weight decay, momentum or betas"),
        "schedule": Ingredient("learning rates of the first three epochs"),
        "training step": Ingredient("clipping, accumulation, precision"),
        "stopping and selection": Ingredient("a history in, the number of epochs and the chosen one out"),
        "decoding": Ingredient("given outputs to boxes and confidences"),
        "suppression": Ingredient("given boxes after thresholds and non-maximum suppression"),
        "metric": Ingredient("metrics of given boxes"),
    }
