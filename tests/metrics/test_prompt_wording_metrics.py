from itertools import product

import numpy as np
import pytest

from prior_bench.metrics import prompt_wording

OWNER = np.array([0, 0, 1, 1])
TARGET = np.eye(2)[[0, 0, 1, 1]]
SCORES = np.array(  # two prompts of each class, four images
    [
        [0.9, 0.1, 0.2, 0.8],
        [0.7, 0.6, 0.3, 0.1],
        [0.4, 0.2, 0.6, 0.3],
        [0.8, 0.0, 0.5, 0.9],
    ]
)
ACCURACY = {(0, 2): 0.75, (0, 3): 0.75, (1, 2): 0.75, (1, 3): 0.75}


def by_hand(first, second):
    """Accuracy with one prompt of each class."""
    return np.mean([(row[second] > row[first]) == (i >= 2) for i, row in enumerate(SCORES)])


def test_a_worked_example():
    # images right with prompts (0, 2): 1, 2, 3; (0, 3): 1, 2, 4; (1, 2): 2, 3, 4; (1, 3): 2, 3, 4
    values = {pair: by_hand(*pair) for pair in product((0, 1), (2, 3))}
    assert values == ACCURACY
    found = prompt_wording.evaluate(SCORES, OWNER, TARGET, prompt_wording.METRICS)
    assert found == pytest.approx(dict(zip(prompt_wording.METRICS, (0.75, 0, 0.75, 0.75), strict=True)))
    other = SCORES.copy()
    other[1, 1] = 0.2  # image 2 is now wrong with (1, 2) and still right with (1, 3)
    share = (prompt_wording.draws(OWNER) == (1, 2)).all(1).mean()
    assert 0.1 < share < 0.4
    found = prompt_wording.evaluate(other, OWNER, TARGET, prompt_wording.METRICS)
    assert found["accuracy_one_prompt"] == pytest.approx(0.75 - 0.25 * share)
    n = prompt_wording.DRAWS
    assert found["accuracy_prompt_std"] == pytest.approx(0.25 * np.sqrt(share * (1 - share) * n / (n - 1)))
    assert found["accuracy_prompt_worst"] == 0.5 and found["accuracy_prompt_best"] == 0.75


def test_a_draw_takes_one_prompt_of_each_class_and_is_always_the_same():
    owner = np.array([2, 0, 1, 1, 2, 2])
    drawn = prompt_wording.draws(owner)
    assert drawn.shape == (prompt_wording.DRAWS, 3)
    assert (owner[drawn] == [0, 1, 2]).all()
    assert np.array_equal(drawn, prompt_wording.draws(owner))
    assert set(drawn[:, 1]) == {2, 3} and set(drawn[:, 2]) == {0, 4, 5}


def test_one_prompt_per_class_leaves_nothing_to_draw():
    found = prompt_wording.evaluate(SCORES[:, [0, 2]], np.array([0, 1]), TARGET, prompt_wording.METRICS)
    assert list(found.values()) == [0.75, 0, 0.75, 0.75]


def test_only_what_is_named_and_nothing_without_images():
    assert list(prompt_wording.evaluate(SCORES, OWNER, TARGET, ("accuracy_prompt_best",))) == [
        "accuracy_prompt_best"
    ]
    empty = prompt_wording.evaluate(SCORES[:0], OWNER, TARGET[:0], prompt_wording.METRICS)
    assert np.isnan(list(empty.values())).all()


def test_the_draws_are_pinned():
    """The numbers of records depend on them: a change here is another version of the metrics."""
    drawn = prompt_wording.draws(np.array([0, 0, 0, 1, 1, 2]))
    assert drawn.shape == (100, 3)
    assert drawn[:6].tolist() == [[2, 3, 5], [1, 4, 5], [1, 3, 5], [0, 3, 5], [0, 4, 5], [0, 4, 5]]
    assert set(drawn[:, 2]) == {5}


def test_a_deviation_is_lower_the_better_and_has_no_upper_bound():
    deviation = prompt_wording.DESCRIBED["accuracy_prompt_std"]
    assert (deviation.direction, deviation.bounds) == ("lower", (0.0, None))
