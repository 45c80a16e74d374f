import numpy as np
import pytest
from sklearn import metrics as oracle

from prior_bench.metrics import classification as m

NAN = float("nan")


def column(values):
    return np.array(values, dtype=float)[:, None]


def test_auroc_by_hand():
    # positives .9 and .4; negatives .8 and .1: of four pairs (.9>.8, .9>.1, .4<.8, .4>.1) three are right
    assert m.auroc(column([0.9, 0.8, 0.4, 0.1]), column([1, 0, 1, 0]))[0] == 0.75
    # a tie counts one half
    assert m.auroc(column([0.5, 0.5]), column([1, 0]))[0] == 0.5


def test_average_precision_by_hand():
    # ranked: 1, 0, 1, 0 -> precision 1/1 at the first, 2/3 at the second positive
    assert m.auprc(column([0.9, 0.8, 0.4, 0.1]), column([1, 0, 1, 0]))[0] == pytest.approx((1 + 2 / 3) / 2)


def test_unknown_labels_do_not_count():
    score, target = column([0.9, 0.95, 0.1]), column([1, NAN, 0])
    assert m.auroc(score, target)[0] == 1
    assert m.binary_accuracy(score >= 0.5, target)[0] == 1
    assert m.f1(score >= 0.5, target)[0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 8, (60, 3)) / 8  # with ties
    target = (rng.random((60, 3)) < 0.4).astype(float)
    assert m.auroc(score, target) == pytest.approx(oracle.roc_auc_score(target, score, average=None))
    assert m.auprc(score, target) == pytest.approx(
        oracle.average_precision_score(target, score, average=None)
    )
    decided = score >= 0.5
    assert m.f1(decided, target) == pytest.approx(oracle.f1_score(target, decided, average=None))
    assert m.precision(decided, target) == pytest.approx(
        oracle.precision_score(target, decided, average=None)
    )
    assert m.recall(decided, target) == pytest.approx(oracle.recall_score(target, decided, average=None))
    true = rng.integers(0, 3, 60)
    score = rng.permuted(np.arange(180)).reshape(60, 3)  # an argmax without ties
    kappa = oracle.cohen_kappa_score(true, score.argmax(1))
    assert m.cohen_kappa(score, np.eye(3)[true]) == pytest.approx(kappa)


def test_class_without_both_labels_is_left_out_of_the_mean():
    score = np.array([[0.9, 0.2], [0.1, 0.3]])
    target = np.array([[1.0, 0.0], [0.0, 0.0]])
    values = m.evaluate(score, target, ("A", "B"), ("auroc", "f1"))
    assert values["auroc"] == 1 and np.isnan(values["auroc/B"])
    assert values["f1"] == 1 and np.isnan(values["f1/B"])
    assert m.left_out(target).tolist() == [False, True]
    assert "auroc/B" not in m.finite(values)


def test_exclusive_labels_by_hand():
    score = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.4, 0.35, 0.25], [0.1, 0.2, 0.7]])
    target = np.eye(3)[[0, 1, 1, 2]]  # the third is taken for class 0
    values = m.evaluate(
        score,
        target,
        ("A", "B", "C"),
        ("accuracy", "f1", "precision", "recall", "kappa", "f1_class_1"),
        exclusive=True,
    )
    assert values["accuracy"] == 0.75
    assert values["precision/A"] == 0.5 and values["recall/B"] == 0.5
    assert values["f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert values["f1_class_1"] == pytest.approx(2 / 3)
    # agreement by luck: predicted (2, 1, 1) and true (1, 2, 1) of 4: (2*1 + 1*2 + 1*1) / 16
    assert values["kappa"] == pytest.approx((0.75 - 5 / 16) / (1 - 5 / 16))


def test_multi_label_decisions_use_the_thresholds_given():
    score, target = np.array([[0.3, 0.9], [0.1, 0.6]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    names, thresholds = ("accuracy", "accuracy_at_threshold", "f1"), np.array([0.2, 0.8])
    values = m.evaluate(score, target, ("A", "B"), names, thresholds=thresholds)
    assert values["accuracy/A"] == 0.5 and values["accuracy/B"] == 0.5
    assert values["accuracy_at_threshold"] == values["f1"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_best_threshold_reaches_the_best_f1(seed):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 10, (40, 1)) / 10
    target = (rng.random((40, 1)) < 0.3).astype(float)
    reached = m.f1(score >= m.best_f1_thresholds(score, target), target)[0]
    best = max(m.f1(score >= t, target)[0] for t in np.unique(score))
    assert reached == pytest.approx(best)
    assert m.METRICS["f1_best_on_test"](m.Case(score, target))[0] == pytest.approx(best)


def test_a_class_without_both_labels_has_no_threshold_and_no_decisions():
    thresholds = m.best_f1_thresholds(np.array([[0.1, 0.2], [0.9, 0.8]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert np.isnan(thresholds).tolist() == [True, False]
    score, target = np.array([[0.9, 0.9], [0.1, 0.1]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    names = ("f1", "precision", "recall", "accuracy_at_threshold")
    values = m.evaluate(score, target, ("A", "B"), names, thresholds=thresholds)
    assert all(np.isnan(values[f"{name}/A"]) and values[name] == values[f"{name}/B"] == 1 for name in names)


@pytest.mark.parametrize(
    "score, target",
    [
        (column([0.2, 0.9]), column([1, 1])),  # one class is scored
        (np.array([[0.9, 0.1], [0.2, 0.8]]), np.eye(2)[[0, 0]]),  # one class occurs
        (np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_an_argmax_without_a_choice_gives_no_number(score, target):
    names = ("accuracy", "kappa", "f1", "precision", "recall", "f1_class_1")
    values = m.evaluate(score, target, ("A", "B")[: score.shape[1]], names, exclusive=True)
    assert all(np.isnan(value) for value in values.values())


def test_conditions_that_the_labels_do_not_meet():
    both = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert m.unmet(both, both, exclusive=True) == []
    one = m.unmet(column([0.1, 0.2]), column([1, 0]), exclusive=True, judged=np.array([True, False]))
    assert one == ["two_scored_classes", "two_classes"]
    assert m.unmet(column([0.1, 0.2]), column([1, 0]), exclusive=False) == []
    assert m.unmet(both, np.zeros((3, 2)), exclusive=False) == ["both_labels", "positives"]


def test_trivial_predictors():
    target = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    prevalence = np.array([0.3, 0.6])
    trivial = m.trivial(target, prevalence, ("A", "B"), ("auroc", "auprc", "accuracy"), exclusive=False)
    assert trivial["chance"] == {"auroc": 0.5, "auprc": 0.25, "accuracy": 0.5}
    assert trivial["all_positive"]["accuracy"] == 0.25
    assert trivial["majority"]["auroc"] == 0.5
    # A is never predicted (3 of 4 right), B always (1 of 4 right)
    assert trivial["majority"]["accuracy/A"] == 0.75 and trivial["majority"]["accuracy/B"] == 0.25
    one_hot = np.eye(4)[[0, 1, 2, 2]]
    exclusive = m.trivial(one_hot, np.full(4, 0.25), tuple("ABCD"), ("accuracy", "kappa"), exclusive=True)
    assert exclusive["chance"] == {"accuracy": 0.25, "kappa": 0.0}


def test_unknown_and_unfit_metrics_are_reported():
    errors = m.check_metrics(("aurocc", "kappa", "f1"), exclusive=False)
    assert len(errors) == 2
    assert "did you mean auroc" in str(errors[0]) and "kappa" in str(errors[1])


def test_f1_of_class_1_is_that_of_a_single_label_at_one_half():
    score, target = column([0.9, 0.6, 0.4, 0.1]), column([1, 0, 1, 0])
    value = m.evaluate(score, target, ("A",), ("f1_class_1",), thresholds=np.array([0.95]))["f1_class_1"]
    two = m.evaluate(np.hstack([1 - score, score]), np.hstack([1 - target, target]), ("no", "A"),
                     ("f1_class_1",), exclusive=True)["f1_class_1"]  # fmt: skip
    assert value == two == 0.5
    assert m.check_metrics(("f1_class_1",), exclusive=False, classes=1) == []
    assert len(m.check_metrics(("f1_class_1",), exclusive=False, classes=2)) == 1


def test_what_a_class_without_positives_leaves_undefined():
    decisions = np.array([[True, False], [False, False]])
    target = np.array([[0.0, 1.0], [0.0, 0.0]])
    for metric in (m.f1, m.precision, m.recall):
        first, second = metric(decisions, target)
        assert np.isnan(first) and second == 0
    assert m.recall(np.array([[True]]), column([1]))[0] == 1
    assert m.precision(np.array([[True], [False]]), column([1, 0]))[0] == 1
    assert m.precision(np.array([[True], [True]]), column([1, 0]))[0] == 0.5


def test_accuracy_of_a_class_counts_the_known_entries_and_is_undefined_without():
    decisions = np.array([[True, True, True], [False, True, True]])
    target = np.array([[NAN, 1, 0], [NAN, NAN, 1]])
    unknown, one, two = m.binary_accuracy(decisions, target)
    assert np.isnan(unknown) and one == 1 and two == 0.5


def test_classes_that_are_left_out_are_judged_each_by_its_own_column():
    target = np.array([[1.0, 1, 0, NAN], [0.0, 1, 0, 1], [0.0, NAN, 0, NAN]])
    assert m.left_out(target).tolist() == [False, True, True, True]


def test_an_argmax_needs_two_scored_classes_and_samples_of_two():
    two = np.array([[0.6, 0.4], [0.3, 0.7]])
    assert m.has_choice(two, np.eye(2))
    assert not m.has_choice(two, np.eye(2)[[0, 0]]), "one class occurs"
    assert not m.has_choice(two[:, :1], np.ones((2, 1)))
    assert not m.has_choice(np.ones((3, 1)), np.ones((3, 2))), "one class is scored"
    third = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.2, 0.5, 0.3]])
    assert m.has_choice(third, np.eye(3)[[0, 0, 2]]), "a class that never occurs does not matter"
    assert m.top1_accuracy(third, np.eye(3)[[0, 0, 2]]) == pytest.approx(1 / 3)


def test_conditions_that_labels_do_not_meet():
    def unmet(target, **how):
        target = np.array(target, dtype=float)
        return m.unmet(np.zeros_like(target), target, **{"exclusive": False, **how})

    assert unmet([[1, 0], [0, 0]]) == []
    assert unmet([[1, 1], [1, 1]]) == ["both_labels"]
    assert unmet([[0, 0], [0, 0]]) == ["both_labels", "positives"]
    assert unmet([[1, 0], [0, 1]], exclusive=True) == []
    assert unmet([[1, 0], [1, 0]], exclusive=True) == ["both_labels", "two_classes"]
    assert unmet([[1], [0]], exclusive=True) == ["two_scored_classes", "two_classes"]
    judged = np.array([True, False])
    assert unmet([[1, 0], [0, 1]], exclusive=True, judged=judged) == ["two_classes"]
    assert unmet([[0, 0], [0, 1]], judged=judged) == ["positives"]


def test_what_chance_and_the_majority_reach():
    target = np.eye(4)[[0, 1, 2, 2]]
    names = ("accuracy", "recall", "auroc", "auprc", "f1")
    found = m.trivial(target, np.array([0.1, 0.2, NAN, 0.3]), tuple("ABCD"), names, exclusive=True)
    # an unknown prevalence is taken for 1/2: the majority says C
    assert found["majority"]["recall/C"] == 1 and found["majority"]["accuracy"] == 0.5
    assert found["chance"] == {
        "accuracy": 0.25,
        "recall": 0.25,
        "auroc": 0.5,
        "auprc": found["majority"]["auprc"],
    }
    assert "auprc" not in m.trivial(target, np.ones(4), tuple("ABCD"), ("auroc",), exclusive=False)["chance"]
    assert (
        "recall" not in m.trivial(target, np.ones(4), tuple("ABCD"), ("recall",), exclusive=False)["chance"]
    )
    one_sided = m.trivial(np.ones((2, 1)), np.ones(1), ("A",), ("auprc",), exclusive=False)
    assert one_sided["chance"] == {}, "the prevalence says nothing where AUPRC is undefined"
    unknown = m.trivial(column([1, 0, 0]), np.array([NAN]), ("A",), ("accuracy",), exclusive=False)
    assert unknown["majority"]["accuracy"] == pytest.approx(1 / 3), "1/2 is called positive"


def test_names_and_classes_must_be_as_many():
    with pytest.raises(ValueError):
        m.evaluate(np.ones((2, 2)), np.eye(2), ("A",), ("auroc",))
    assert len(m.check_metrics(("f1_class_1",), exclusive=False)) == 1


def test_kappa_without_agreement_to_correct_for():
    score = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert np.isnan(m.cohen_kappa(score, np.eye(2)[[0, 0]]))
    assert m.cohen_kappa(score, np.eye(2)[[0, 1]]) == 0


def test_what_the_metrics_are_said_to_mean():
    assert set(m.DESCRIBED) == set(m.METRICS)
    chance = {name: metric.chance for name, metric in m.DESCRIBED.items() if metric.chance is not None}
    assert chance == {"auroc": 0.5, "kappa": 0.0}
    bounds = {metric.bounds for name, metric in m.DESCRIBED.items() if name != "kappa"}
    assert bounds == {(0.0, 1.0)} and m.DESCRIBED["kappa"].bounds == (-1.0, 1.0)


def test_one_class_of_three_is_no_choice():
    score = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    assert not m.has_choice(score, np.eye(3)[[0, 0]])
    assert m.unmet(score, np.eye(3)[[0, 0]], exclusive=True) == ["both_labels", "two_classes"]


def test_kappa_of_few_samples_and_without_agreement():
    score = np.array([[0.1, 0.2, 0.7], [0.2, 0.2, 0.6]])
    # never the true class, and not even its frequency agrees: luck explains nothing
    assert m.cohen_kappa(score, np.eye(3)[[0, 1]]) == 0


def test_labels_are_not_exclusive_unless_it_is_said():
    assert m.Case(np.array([[0.6, 0.9]]), np.ones((1, 2))).decisions().tolist() == [[True, True]]


def test_an_unknown_prevalence_is_one_half():
    found = m.trivial(np.eye(2)[[0, 1, 1]], np.array([0.6, NAN]), ("A", "B"), ("accuracy",), exclusive=True)
    assert found["majority"]["accuracy"] == pytest.approx(1 / 3), "A, with 0.6, is the majority"


def test_the_threshold_above_the_lowest_score():
    assert m.best_f1_thresholds(column([0.75, 0.5, 0.25]), column([1, 1, 0]))[0] == 0.375


def test_f1_of_class_1_is_that_of_the_second_class():
    score, target = np.eye(3)[[0, 1, 1, 2]], np.eye(3)[[0, 1, 0, 2]]
    values = m.evaluate(score, target, tuple("ABC"), ("f1", "f1_class_1"), exclusive=True)
    assert values["f1_class_1"] == values["f1/B"] == pytest.approx(2 / 3)
    assert values["f1/C"] == 1 and values["f1/A"] == pytest.approx(2 / 3)
    unlike = m.evaluate(np.eye(3)[[1, 1, 1, 2]], target, tuple("ABC"), ("f1", "f1_class_1"), exclusive=True)
    assert unlike["f1_class_1"] == unlike["f1/B"] == 0.5 and unlike["f1/A"] == 0


def test_where_no_threshold_can_be_picked_on_test_it_is_one_half():
    score = np.array([[0.6], [0.4], [0.5], [0.3]])
    case = m.Case(score, np.zeros((4, 1)))
    assert m.METRICS["accuracy_best_on_test"](case)[0] == 0.5
    assert m.METRICS["f1_best_on_test"](m.Case(score, np.ones((4, 1))))[0] == pytest.approx(2 / 3)
