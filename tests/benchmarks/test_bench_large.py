from benchmarks import features, large_pools


def test_pools_and_the_cascade_print_their_rows(capsys, monkeypatch):
    monkeypatch.setattr(large_pools, "SCORES", 300)
    monkeypatch.setattr(large_pools, "FIRST", 5)
    large_pools.main(["--pairs", "30", "60", "--local", "8", "16", "--regions", "4", "--words", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| 30", "| 60"] and "slope: " in lines[5]
    assert lines[-1].startswith("slopes: all ")


def test_features_are_written_and_read(tmp_path):
    features.in_blocks(tmp_path, 300, 4)
    assert (tmp_path / "features.safetensors").stat().st_size > 300 * 4 * 2
    assert sum(map(len, features.batches(300, 4, "float16"))) == 300
