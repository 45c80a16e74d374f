"""Every command of docs/own_pairs.md runs, in its order, on a small generated data set."""

import io
import json
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.cli import main

TEXT = (Path(__file__).parent.parent.parent / "docs/own_pairs.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line.strip()]

SHORT = {
    "convirt_laptop": ["schedule.epochs=1", "schedule.warmup_epochs=0"],
    "prior_laptop": [
        f"schedule.stages.{i}.{key}" for i in range(3) for key in ("epochs=1", "warmup_epochs=0")
    ],
}
"""Changes that make a training of minutes one of seconds, by config."""
SHORT["prior_small"] = [
    *SHORT["prior_laptop"],
    # what the config downloads does not come from the network here
    "method.image_encoder.pretrained=false",
    "method.image_encoder.model_name=resnet18",
    "method.image_encoder.input.size=64",
    "method.text_encoder.name=none",
    "method.text_encoder.frozen_layers=0",
    "method.text_encoder.config={'hidden_size': 32, 'num_hidden_layers': 1, 'num_attention_heads': 2}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the page tells a reader to write, and images with a bright spot for the label."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "images").mkdir()
    rows = []
    for n in range(100):
        draw = np.random.default_rng(n)
        pixels, label = draw.integers(0, 120, (48, 40)), n % 2
        pixels[10:30, 5:20] += 100 * label
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"images/{n}.png")
        side = draw.choice(["left", "right"])
        first = (
            f"Patchy opacity in the {side} lung, case {n}." if label else f"The lungs are clear, case {n}."
        )
        report = f"{first} Heart size is {draw.choice(['normal', 'enlarged'])}. No pneumothorax seen."
        rows.append((f"images/{n}.png", report, f"p{n}", f"s{n}", label))
    columns = next(block for kind, block in BLOCKS if kind == "csv").splitlines()[0].split(",")
    pd.DataFrame(rows, columns=columns).to_csv(folder / "pairs.csv", index=False)
    written = {"json": "prompts.json", "python": "my_suite.py"}
    for kind, block in BLOCKS:
        if kind in written and not block.startswith("import"):
            (folder / written[kind]).write_text(block, "utf-8")
    return folder


class Done(NamedTuple):
    """What a command did."""

    status: int
    stdout: str
    stderr: str


def run(arguments: list[str], folder: Path) -> Done:
    """A command, in this process: importing torch for each of them would take most of the time."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
            patch.delenv(variable, raising=False)
        status = main(
            [*arguments, "--device", "cpu"] if arguments[0] in ("pretrain", "eval", "run") else arguments
        )
    return Done(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def run_once(folder):
    """Runs a command after those that stand before it on the page and make what it reads; each once."""
    done: dict[str, Done] = {}

    def run_after(command: str) -> Done:
        for before in COMMANDS[: COMMANDS.index(command)]:
            makes = re.search(r"pretrain .*--work-dir (\S+)", before)
            needs = (makes and makes[1] in command) or (
                "my_suite" in command and (makes or "run my_suite" in before) and "small" not in before
            )
            if needs and before not in done:
                run_after(before)
        if command not in done:
            arguments = shlex.split(command)[1:]
            if arguments[0] == "pretrain":
                arguments += [part for change in SHORT[arguments[1]] for part in ("--set", change)]
            done[command] = run(arguments, folder)
        return done[command]

    return run_after


def test_the_page_leads_from_the_file_to_the_table():
    verbs = [shlex.split(command)[1] for command in COMMANDS]
    assert all(command.startswith("prior-bench ") for command in COMMANDS)
    assert list(dict.fromkeys(verbs)) == ["data", "pretrain", "eval", "run", "report"]
    tasks = {shlex.split(command)[2] for command in COMMANDS if " eval " in command}
    assert tasks == {"retrieval", "zero_shot", "classification"}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page(command, run_once):
    done = run_once(command)
    assert done.status == 0, done.stderr
    assert "Traceback" not in done.stderr and done.stdout.strip()


@pytest.mark.slow
def test_what_is_said_of_the_output_holds(run_once):
    outputs = {command: run_once(command).stdout for command in COMMANDS}

    def output(part: str) -> str:
        return next(text for command, text in outputs.items() if part in command)

    assert "verdict: pairs is usable" in output("data check")
    assert re.search(r"^recall_at_5 +[01]\.\d", output("eval retrieval"), re.M)
    assert "my_convirt · retrieval" in output("eval retrieval"), "the row has the name of the folder"
    zero_shot = output("eval zero_shot")
    assert re.search(r"^f1 +0\.\d", zero_shot, re.M) and re.search(r"^accuracy +[01]\.\d", zero_shot, re.M)
    assert "Patchy opacity, consistent with pneumonia." in zero_shot, (
        "the protocol that is printed has the prompts"
    )
    table = output("run my_suite")
    assert all(f"| {name}" in table for name in ("Random", "ConVIRT", "PRIOR")) and "My pairs" in table


@pytest.mark.slow
def test_pretraining_ends_with_commands_on_the_users_data_that_run(run_once, folder):
    said = run_once(next(c for c in COMMANDS if "convirt_laptop" in c and "pretrain" in c)).stdout
    hints = [line.strip() for line in said.splitlines() if line.strip().startswith("prior-bench eval")]
    assert all("--data pairs.csv" in hint for hint in hints) and "chexpert" not in said
    assert {shlex.split(hint)[2] for hint in hints} == {"classification", "retrieval", "zero_shot"}
    for hint in hints:
        arguments = shlex.split(hint.replace("FILE.json", "prompts.json"), comments=True)
        done = run(arguments[1:], folder)
        assert done.status == 0, done.stderr


@pytest.mark.slow
def test_the_python_example_runs(run_once, folder, monkeypatch, capsys):
    run_once(next(c for c in COMMANDS if "convirt_laptop" in c and "pretrain" in c))
    example = next(block for kind, block in BLOCKS if kind == "python" and block.startswith("import"))
    monkeypatch.chdir(folder)
    exec(example, {})
    assert re.fullmatch(r"[\d.]+ [\d.]+", capsys.readouterr().out.strip())


def test_the_prompt_file_of_the_page_is_one(folder):
    from prior_bench.data.texts import prompts

    found = prompts.load(str(folder / "prompts.json"))
    assert (
        set(found.classes) == set(found.negatives) == set(json.loads((folder / "prompts.json").read_text()))
    )
