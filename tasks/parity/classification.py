"""The ingredients of a classification protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of linear probes and fine-tuning, in the order of the data's way."""
    from . import batches, classifiers, schedules, steps, stopping, transforms

    return {
        "test transform": Ingredient(
            "file to tensor in evaluation: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "training transform": Ingredient(
            "file to tensor in training, with the drawn parameters given", transforms.training_transform
        ),
        "split": Ingredient("which images are in train, validation and test", data.split),
        "labels": Ingredient("classes, uncertain and blank labels", data.labels),
        "label fraction": Ingredient("which images are drawn for 1 % and 10 %", data.label_fraction),
        "batches": Ingredient("batch size, shuffling, sampling, incomplete last batches", batches.batches),
        "head": Ingredient(
            "layers, shapes, normalisation, dropout, statistics of the initialisation", classifiers.head
        ),
        "enlargement": Ingredient(
            "what the first layer of a convolutional network sees of an image", classifiers.enlargement
        ),
        "frozen parts": Ingredient(
            "what has a gradient; BatchNorm's statistics after one step", classifiers.frozen_parts
        ),
        "loss": Ingredient("value on a given batch, gradient at the head, class weights", classifiers.loss),
        "optimiser": Ingredient(
            "type, groups of parameters, rate, weight decay, momentum or betas", classifiers.optimiser
        ),
        "schedule": Ingredient("learning rates of the first three epochs", schedules.schedule),
        "training step": Ingredient("clipping, accumulation, precision", steps.training_step),
        "stopping and selection": Ingredient(
            "a history in, the number of epochs and the chosen one out", stopping.stopping
        ),
        "metric": Ingredient("metrics of given predictions", classifiers.metric),
    }
