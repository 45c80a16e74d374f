"""Prompt files: what they may hold, and what is said where they hold something else."""

import json

import pytest

from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError

PAIR = {"positive": ["Pneumonia."], "negative": ["No pneumonia.", "Clear lungs."]}


def written(folder, content, name="mine.json") -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text)
    return str(folder / name)


def test_classes_alone_are_a_file(tmp_path):
    found = prompts.load(
        written(tmp_path, {"Edema": ["Pulmonary edema."], "Mass": ["A mass.", "Lung mass."]})
    )
    assert found.classes == {"Edema": ("Pulmonary edema.",), "Mass": ("A mass.", "Lung mass.")}
    assert found.own and not found.negatives


def test_positive_and_negative_prompts_as_lists_and_products(tmp_path):
    parts = {"product": [["Small", "Large"], ["pneumonia"]]}
    found = prompts.load(written(tmp_path, {"Pneumonia": {"positive": parts, "negative": ["No pneumonia."]}}))
    assert found.classes == {"Pneumonia": ("Small pneumonia", "Large pneumonia")}
    assert found.negatives == {"Pneumonia": ("No pneumonia.",)}


def test_content_is_known_whatever_the_file_is_called_and_written_like(tmp_path):
    whole = {"name": "own", "version": 1, "classes": {"Pneumonia": PAIR}}
    one = prompts.load(written(tmp_path, {"Pneumonia": PAIR}, "a.json"))
    other = prompts.load(written(tmp_path, "\ufeff" + json.dumps(whole, indent=3), "b.json"))
    assert one == other == prompts.load({"Pneumonia": PAIR}) == prompts.load(one.content())
    assert one.content() == whole and one.label() == other.label()
    changed = prompts.load({"Pneumonia": {**PAIR, "negative": ["No sign of pneumonia."]}})
    assert changed.label() != one.label() and changed.label().startswith("own v1, hash ")
    assert prompts.load("sample").label() == "sample v1"


def test_negatives_are_drawn_too():
    found = prompts.load({"Pneumonia": PAIR}).sample(1, seed=0)
    assert len(found.classes["Pneumonia"]) == len(found.negatives["Pneumonia"]) == 1
    assert found.own


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"mine\.json: not a JSON file"),
        ("[1]", r"mine\.json: holds a list, no dict of classes"),
        ('{"A": ["x"], "A": ["y"]}', "the key 'A' is there twice"),
        ({}, "classes: is {}; must be prompts of at least one class"),
        ({"name": "p", "A": ["x"]}, "(?s)the key 'classes' is missing.*unknown key 'A'"),
        ({"classes": {"A": []}}, r"classes\.A: is \[\]; must be a list of at least one"),
        ({"A": "x"}, r"classes\.A: is 'x'; must be a list"),
        ({"A": [1]}, r"classes\.A\[0\]: is 1; must be text"),
        ({"A": ["x", " "]}, r"classes\.A\[1\]: is ' '; must be a prompt"),
        ({"A": {"positive": ["x"]}}, r"classes\.A: the key 'negative' is missing"),
        ({"A": {"positive": ["x"], "negative": []}}, r"classes\.A\.negative: is \[\]; must be a list"),
        (
            {"A": {"positive": ["x"], "negatives": ["y"]}},
            "(?s)unknown key 'negatives'.*did you mean negative",
        ),
        ({"A": {"product": [[]]}}, r"classes\.A\.product\[0\]: is \[\]; must be"),
        (
            {"A.b": ["x"], "B": {"positive": ["x"], "negative": ["y"]}},
            r"A\.b: has no negative prompts, and B has",
        ),
        ({"version": "2", "classes": {"A": ["x"]}}, "version: is '2'; must be a whole number"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, content, message):
    with pytest.raises(BenchError, match=message) as caught:
        prompts.load(written(tmp_path, content))
    assert "mine.json" in str(caught.value)


def test_a_file_or_set_that_is_not_there(tmp_path):
    with pytest.raises(BenchError, match=r"nowhere\.json: no such prompt file"):
        prompts.load(str(tmp_path / "nowhere.json"))
    with pytest.raises(BenchError, match=r"unknown prompt set 'sampel'\n.*did you mean sample.*\.json"):
        prompts.load("sampel")


# --- templates ---

PAIR_TEMPLATES = {"positive": ["{}", "There is {}."], "negative": ["no {}"]}


def test_templates_are_filled_with_names(tmp_path):
    content = {
        "templates": PAIR_TEMPLATES,
        "names": {"Effusion": ["pleural effusion", "pleural fluid"], "Mass": "mass"},
        "classes": {"normal": {"positive": ["normal"], "negative": ["abnormal"]}},
    }
    found = prompts.load(written(tmp_path, content))
    assert found.classes == {
        "Effusion": (
            "pleural effusion",
            "There is pleural effusion.",
            "pleural fluid",
            "There is pleural fluid.",
        ),
        "Mass": ("mass", "There is mass."),
        "normal": ("normal",),
    }
    assert found.negatives == {
        "Effusion": ("no pleural effusion", "no pleural fluid"),
        "Mass": ("no mass",),
        "normal": ("abnormal",),
    }
    assert prompts.load(found.content()) == found and found.own
    written_out = {
        label: {"positive": list(texts), "negative": list(found.negatives[label])}
        for label, texts in found.classes.items()
    }
    assert prompts.load(written_out).label() == found.label(), "known by what the templates make"


def test_a_list_of_templates_has_no_negatives():
    found = prompts.load({"templates": ["{} is seen"], "names": {"Mass": "a mass"}, "data": ["csv"]})
    assert found.classes == {"Mass": ("a mass is seen",)} and not found.negatives
    assert found.style() == "classes, 1" and found.data == ("csv",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"templates": ["There is"], "names": {"A": "a"}}, r"templates\[0\]: is 'There is'; .* \{\} once"),
        ({"templates": ["{} {}"], "names": {"A": "a"}}, r"templates\[0\]: is '{} {}'; must be a template"),
        ({"templates": ["{name}"], "names": {"A": "a"}}, r"templates\[0\]: is '{name}'; must be a template"),
        ({"templates": [], "names": {"A": "a"}}, r"templates: is \[\]; must be a list of at least one"),
        (
            {"templates": {"positive": ["{}"], "negative": ["none"]}, "names": {"A": "a"}},
            r"templates\.negative\[0\]: is 'none'",
        ),
        ({"templates": {"positive": ["{}"]}, "names": {"A": "a"}}, "the key 'negative' is missing"),
        ({"templates": ["{}", "{}"], "names": {"A": "a"}}, r"templates: .*'{}' occurs twice"),
        ({"templates": ["{}"], "names": {}}, r"names: is {}; must be prompts of at least one class"),
        ({"templates": ["{}"], "names": {"A": []}}, r"names\.A: is \[\]; must be the name of the finding"),
        ({"templates": ["{}"], "names": {"A": ["a", "a"]}}, r"names\.A: .*; must be the name of the finding"),
        ({"templates": ["{}"], "names": {"A": " "}}, r"names\.A: is ' '; must be the name of the finding"),
        ({"templates": ["{}"], "names": {"A": 1}}, r"names\.A: is 1; must be the name of the finding"),
        ({"templates": ["{}"]}, "names: the key 'names' is missing"),
        ({"names": {"A": "a"}}, "templates: the key 'templates' is missing"),
        ({"template": ["{}"], "names": {"A": "a"}}, "(?s)unknown key 'template'.*did you mean templates"),
        (
            {"templates": ["{}"], "names": {"A": "a"}, "classes": {"A": ["a"]}},
            r"classes\.A: is in 'names' too",
        ),
        (
            {"templates": ["{}"], "names": {"A": "a"}, "classes": {"B": PAIR}},
            r"classes\.B: has negative prompts, and the templates have none",
        ),
        (
            {"templates": PAIR_TEMPLATES, "names": {"A": "a"}, "classes": {"B": ["b"]}},
            r"classes\.B: has no negative prompts, and the templates have",
        ),
        ('{"templates": ["{}"], "names": {"A": "a", "A": "b"}}', "the key 'A' is there twice"),
    ],
)
def test_what_is_wrong_with_templates_is_named_with_its_place(tmp_path, content, message):
    with pytest.raises(BenchError, match=message) as caught:
        prompts.load(written(tmp_path, content))
    assert "mine.json" in str(caught.value)
