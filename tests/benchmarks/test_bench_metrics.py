from benchmarks import metrics


def test_both_ways_are_printed_with_slopes(capsys):
    metrics.main(["--images", "40", "80", "--draws", "2", "--pairs", "20", "40"])
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("slope") for line in lines) == 3
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:5] == [
        "40",
        "40",
        "80",
        "80",
    ]
