"""docs/zero_shot.md names what there is: protocols with their options, prompt sets, and a file that loads."""

import json
import re
from pathlib import Path

from prior_bench.data.texts import prompts
from prior_bench.schema.errors import checked
from prior_bench.schema.suite import SuiteConfig
from prior_bench.suites import protocols

TEXT = (Path(__file__).parent.parent.parent / "docs/zero_shot.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)


def test_the_table_of_protocols_has_their_options():
    section = TEXT.split("## Protocols")[1].split("## ")[0]
    rows = [re.findall(r"`([^`]*)`", line) for line in section.splitlines() if line.startswith("| `clean/")]
    assert len(rows) == 7
    for name, shown, pooling, score in rows:
        options = protocols.load(name).options
        stated = (options["prompts"], options["pooling"], options.get("score", "similarity"))
        assert stated == (shown, pooling, score), name


def test_every_prompt_set_is_in_the_table():
    section = TEXT.split("## Prompt sets")[1].split("## ")[0]
    named = set(re.findall(r"`(\w+_\w+)`", section))
    assert set(prompts.names()) - named == {"sample", "boxed_findings"}


def test_the_file_loads_and_the_evaluations_are_valid():
    own = next(block for kind, block in BLOCKS if kind == "json")
    found = prompts.load(json.loads(own))
    assert found.classes["Effusion"] == (
        "pleural effusion", "There is pleural effusion.", "pleural fluid", "There is pleural fluid.",
    )  # fmt: skip
    suite = next(block for kind, block in BLOCKS if "evaluations" in block)
    values: dict = {}
    exec(suite, values)
    backbones = [dict(name="Random", type="random", config="convirt_laptop")]
    checked(SuiteConfig, {"name": "s", "backbones": backbones, "evaluations": values["evaluations"]})
    for one in values["evaluations"]:
        protocols.load(one["protocol"], one.get("overrides"))
