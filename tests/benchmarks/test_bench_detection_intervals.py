from benchmarks import detection_intervals


def test_both_ways_agree_and_are_printed_with_a_slope(capsys):
    detection_intervals.main(["--images", "12", "24", "--draws", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")] == ["images", "12", "24"]
    assert lines[-1].startswith("slope")
