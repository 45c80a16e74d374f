"""What a link leads out of the working folder, which somebody may have sent, is not written to."""

import os
from pathlib import Path

import numpy as np
import pytest

from prior_bench import logs, paths
from prior_bench.api import RunContext
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.features.blocks import GROWING, write_blocks
from prior_bench.io.bounded import require_no_links
from prior_bench.store.store import Store

VARIABLES = ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The user's home, which must stay empty; the working folder is beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "sent").mkdir()
    monkeypatch.chdir(tmp_path / "sent")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield tmp_path / "home"


def link(place: str, home: Path) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).symlink_to(home, target_is_directory=True)


def written(home: Path) -> list[str]:
    return sorted(path.name for path in home.rglob("*"))


def images_cache() -> Path:
    from prior_bench.data.images.cache.image_cache import place_of

    return place_of(Path("images"), 256)


def arrays_cache() -> Path:
    from prior_bench.report.runs.array_cache import cached_arrays

    cached_arrays("bootstrap", "k", lambda: {"a": np.zeros(2)})
    return Path()


def rehearsal() -> Path:
    from prior_bench.rehearsal import place_of

    return place_of("chexpert")


@pytest.mark.parametrize(
    ("place", "ask"),
    [
        ("results", paths.results_root),
        ("results/demo", paths.results_root),
        ("results/demo", lambda: Store.of("demo")),
        ("results/pretrain", paths.results_root),
        ("cache", paths.cache_root),
        ("cache/features", paths.cache_root),
        ("cache/bootstrap", arrays_cache),
        ("data", lambda: paths.generated_root("sample-9")),
        ("data/sample-9", lambda: paths.generated_root("sample-9")),
        ("data", rehearsal),
    ],
)
def test_a_default_folder_that_a_link_leads_away_is_refused(home, monkeypatch, place, ask):
    link(place, home)
    root = place.partition("/")[0]
    with pytest.raises(BenchError, match="out of the working folder by a symbolic link") as caught:
        ask()
    assert f"PRIOR_BENCH_{root.upper()}={root}" in str(caught.value)
    assert not written(home)
    monkeypatch.setenv(f"PRIOR_BENCH_{root.upper()}", root)  # the user says that it is his own
    ask()


def test_a_cache_of_images_that_a_link_leads_away_is_refused(home):
    place = os.path.relpath(images_cache())
    link(place, home)
    with pytest.raises(BenchError, match="PRIOR_BENCH_CACHE=cache"):
        images_cache()


def test_lists_of_generated_data_are_not_written_where_a_link_leads(home, monkeypatch):
    from prior_bench.sample import FOLDERS, VERSION, sample_root

    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    link(f"data/sample-{VERSION}-tiny/{FOLDERS['chexpert']}", home)
    with pytest.raises(BenchError, match="PRIOR_BENCH_DATA=data"):
        sample_root("chexpert")
    assert not written(home)


def test_weights_are_not_trained_where_a_link_leads(home, monkeypatch):
    from prior_bench.backbones.pretrained import Pretrained

    monkeypatch.setattr(Pretrained, "identity", lambda source, seed: "0123")
    source = Pretrained("a", "convirt_sample")
    link(str(source.work_dir(0, paths.results_root() / "pretrain")), home)
    with pytest.raises(BenchError, match="PRIOR_BENCH_RESULTS=results"):
        source.work_dir(0, paths.results_root() / "pretrain")


def test_links_within_the_working_folder_are_followed(home):
    Path("elsewhere").mkdir()
    Path("results").symlink_to("elsewhere")
    assert paths.results_root() == Path("results")


def test_a_working_folder_that_was_entered_by_a_link_is_none_that_leads_away(home, monkeypatch):
    (home.parent / "short").symlink_to(home.parent / "sent")
    monkeypatch.chdir(home.parent / "short")
    Path("results/demo").mkdir(parents=True)
    assert Store.of("demo").root == Path("results/demo")


@pytest.mark.parametrize("place", ["results", "results/logs"])
def test_no_log_is_written_where_a_link_leads(home, capsys, place):
    link(place, home)
    (home / "old.jsonl").touch()
    with logs.logged("run"):
        logs.logging.getLogger("prior_bench.engine").error("something")
    assert written(home) == ["old.jsonl"]
    assert "no log is written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["results export mine", "table --suite mine", "show mine/a"])
def test_a_command_says_so_in_one_message(home, capsys, command):
    link("results", home)
    assert main(command.split()) in (1, 2)
    assert capsys.readouterr().err.count("error:") == 1
    assert not written(home)


@pytest.mark.parametrize("place", ["last.pth", "head_a/last.pth", "head_a"])
def test_a_scratch_folder_with_links_is_refused(home, place):
    link(str(Path("results/demo", "work", "k", place)), home)
    with pytest.raises(BenchError, match="is a symbolic link"):
        Store.of("demo").work_dir("k")


def test_links_within_a_folder_below_are_allowed(home):
    """Weights & Biases makes them."""
    Path("run/wandb/run-1").mkdir(parents=True)
    Path("run/wandb/latest-run").symlink_to("run-1")
    require_no_links(Path("run"))
    Path("run/wandb/latest").symlink_to("../../run")
    require_no_links(Path("run"))
    Path("run/wandb/out").symlink_to("../..")
    with pytest.raises(BenchError, match="wandb/out"):
        require_no_links(Path("run"))


@pytest.mark.parametrize("name", [".", "values", "blocks.jsonl"])
def test_blocks_of_features_are_not_written_through_a_link(home, name):
    path = Path("cache/features/k.safetensors")
    folder = path.with_name(path.name + GROWING)
    target = home if name == "." else home / "notes.txt"
    if name != ".":
        target.write_text("mine")
    link(str(folder / name), target)
    rows = np.ones((4, 2), np.float32)
    write_blocks(path, 4, lambda done: iter([rows[done:]]), {}, dtype="float32", block=2)
    assert path.is_file()
    assert written(home) == ([] if name == "." else ["notes.txt"])
    assert name == "." or target.read_text() == "mine"


def test_the_cache_of_a_run_is_the_users_choice(home, monkeypatch):
    """As a folder that he names by its variable."""
    link("cache", home)
    monkeypatch.setenv("PRIOR_BENCH_CACHE", "cache")
    assert RunContext(cache_dir=paths.cache_root()).cache_dir == Path("cache")
