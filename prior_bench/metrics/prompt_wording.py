"""Measure how zero-shot accuracy depends on the wording of the prompts, from the scores of all prompts.

A draw selects one prompt per class; the class of the prompt with the highest score is predicted. There are
:data:`DRAWS` draws with replacement, always the same for the same number of prompts:

- ``accuracy_one_prompt``: mean accuracy over the draws;
- ``accuracy_prompt_std``: its standard deviation over the draws (lower is better);
- ``accuracy_prompt_worst``, ``accuracy_prompt_best``: accuracy of the worst and of the best draw.

Compare them with ``accuracy``, which pools the prompts of a class. With one prompt per class, the deviation
is 0. In a draw, the score of a class is that of a single prompt. Scores are therefore standardised over the
images for each prompt, by the protocol's method.
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
    """Draw prompts; return their positions, int [DRAWS, C].

    Args:
        owner: int [P], class of each prompt.
    """
    random = np.random.default_rng(0)
    return np.stack(
        [random.choice(np.flatnonzero(owner == c), DRAWS) for c in range(owner.max() + 1)], axis=1
    )


def accuracies(standardised: np.ndarray, owner: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the accuracy of each draw, [DRAWS]; NaN without images.

    Args:
        standardised: [N, P], standardised scores. owner: int [P], class of each prompt.
        target: [N, C], one 1 per row.
    """
    return np.array([top1_accuracy(standardised[:, drawn], target) for drawn in draws(owner)])


def evaluate(
    standardised: np.ndarray, owner: np.ndarray, target: np.ndarray, metrics: tuple[str, ...]
) -> dict[str, float]:
    """Compute the given metrics of METRICS; see :func:`accuracies` for the arguments."""
    found = accuracies(standardised, owner, target)
    values = (found.mean(), found.std(ddof=1), found.min(), found.max())
    return {name: float(v) for name, v in zip(METRICS, values, strict=True) if name in metrics}
