"""``evaluate`` and ``eval`` with a number of images per class."""

import pytest

import prior_bench as pb
from prior_bench.cli import main
from prior_bench.mock import MockSource

HOW = dict(protocol="clean/linear_probe", overrides={"head.strengths": [1.0]}, device="cpu")


def test_one_number_gives_a_result_and_several_give_a_table(my_csv):
    one = pb.evaluate(MockSource(), "classification", my_csv, shots=2, **HOW)
    assert isinstance(one, pb.Result) and "· 2 per class · seed 0" in repr(one)
    assert one.record.spec["shots"] == 2
    assert len(one.predictions["meta_train_id"]) == sum(one.record.split[p] for p in ("train",)) >= 4
    both = pb.evaluate(MockSource(), "classification", my_csv, shots=[1, 2], fraction=1.0, **HOW)
    frame = both.table()
    assert frame["fraction"].tolist()[0] == 1.0 and frame["shots"].tolist()[1:] == [1, 2]
    assert frame["fraction"].isna().tolist() == [False, True, True]
    assert both[2].record.key == one.record.key, "it did not run again"
    whole = pb.evaluate(MockSource(), "classification", my_csv, **HOW)
    assert whole.record.key == both[0].record.key and "shots" not in whole.record.spec


def test_the_command_refuses_tasks_and_numbers_that_do_not_fit(my_csv, capsys):
    given = ["--backbone", "random:resnet18", "--data", my_csv, "--device", "cpu"]
    assert main(["eval", "classification", *given, "--shots", "1", "500"]) == 1
    assert "in the training split, not 500" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["eval", "classification", *given, "--shots", "0"])
