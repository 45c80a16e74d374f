"""How much zero-shot accuracy hangs on the wording of the prompts, from the scores of all prompts.

A draw takes one prompt of each class, and the image goes to the class whose prompt scores highest. There are
:data:`DRAWS` draws, with replacement and always the same for the same number of prompts:

- ``accuracy_one_prompt``: mean accuracy over the draws;
- ``accuracy_prompt_std``: its standard deviation over the draws (lower is better);
- ``accuracy_prompt_worst``, ``accuracy_prompt_best``: of the worst and of the best draw.

Compare them with ``accuracy``, which pools the prompts of a class. A set with one prompt per class has a
deviation of 0. Where a class has one prompt its score is the prompt's, so scores are standardised over the
images prompt by prompt, in the protocol's way.
"""

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.metrics.classification import top1_accuracy

METRICS = ("accuracy_one_prompt", "accuracy_prompt_std", "accuracy_prompt_worst", "accuracy_prompt_best")

_NEEDS = ("two_scored_classes", "two_classes")

DESCRIBED = by_name(
    (
        Metric("accuracy_one_prompt", title="accuracy with one prompt per class", needs=_NEEDS),
        Metric(
            "accuracy_prompt_std",
            "lower",
            "standard deviation of accuracy over prompts",
            bounds=(0.0, None),
            needs=_NEEDS,
        ),
        Metric("accuracy_prompt_worst", title="accuracy with the worst prompts", needs=_NEEDS),
        Metric("accuracy_prompt_best", title="accuracy with the best prompts", needs=_NEEDS),
    )
)

DRAWS = 100


def draws(owner: np.ndarray) -> np.ndarray:
    """Positions of the prompts drawn, int [DRAWS, C].

    Args:
        owner: class of each prompt, int [P].
    """
    random = np.random.default_rng(0)
    return np.stack(
        [random.choice(np.flatnonzero(owner == c), DRAWS) for c in range(owner.max() + 1)], axis=1
    )


def accuracies(standardised: np.ndarray, owner: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Accuracy of each draw, [DRAWS]; NaN without images.

    Args:
        standardised: [N, P].
        owner: class of each prompt, int [P].
        target: [N, C], one 1 per row.
    """
    return np.array([top1_accuracy(standardised[:, drawn], target) for drawn in draws(owner)])


def evaluate(
    standardised: np.ndarray, owner: np.ndarray, target: np.ndarray, metrics: tuple[str, ...]
) -> dict[str, float]:
    """Those of METRICS that are named; see :func:`accuracies`."""
    found = accuracies(standardised, owner, target)
    values = (found.mean(), found.std(ddof=1), found.min(), found.max())
    return {name: float(v) for name, v in zip(METRICS, values, strict=True) if name in metrics}
