"""The page, on drawn images: a data set with reports, masks and boxes, and predictions of two backbones."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.api import Protocol, RunRecord
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.pictures.heat import overlay
from prior_bench.pictures.radiographs import Original, outline, rectangle
from prior_bench.registry import DATASETS
from prior_bench.report.html.figures.vega import drawing_script
from prior_bench.report.html.galleries import kinds
from prior_bench.report.html.galleries.examples import Gallery
from prior_bench.report.html.page import TEMPLATES, build_page
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.runs.selection import evaluations_of
from prior_bench.store.store import Store
from prior_bench.suites.suite import Suite

SIZE = 32
CLASSES = ("Edema & more", "Effusion")
DIRECTIONS = ("image_to_text", "text_to_image")
TEST = 8


def read_drawn(root, *, split="default") -> Manifest:
    table = pd.DataFrame(
        {
            "id": [f"s{i}" for i in range(TEST)],
            "patient_id": [f"p{i}" for i in range(TEST)],
            "image": [f"{i}.png" for i in range(TEST)],
            "split": "test",
            "report": pd.Series([(f"Report <{i}>.", "Clear.") for i in range(TEST)], dtype=object),
            **{name: [float((i + n) % 2) for i in range(TEST)] for n, name in enumerate(CLASSES)},
        }
    )
    return Manifest("drawn", root, table, labels=CLASSES)


def packed(top: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[top : top + 8, 8:16] = True
    return np.packbits(mask)


def predictions(task: str, skill: float) -> dict[str, np.ndarray]:
    rows = np.arange(TEST)
    base = {"id": np.array([f"s{i}" for i in rows]), "patient_id": np.array([f"p{i}" for i in rows])}
    target = np.stack([rows % 2, (rows + 1) % 2], axis=1).astype(float)
    if task == "zero_shot":
        return {**base, "score": target * skill + 0.1, "target": target, "meta_classes": np.array(CLASSES)}
    if task == "retrieval":
        top = (rows[:, None] + np.arange(5)[None] + (skill < 0.5)) % TEST
        ranks = {f"{d}_rank": np.full(TEST, 1.0 if skill > 0.5 else 8.0) for d in DIRECTIONS}
        ties = {f"{d}_ties": np.zeros(TEST, int) for d in DIRECTIONS}
        shown = explanation() if skill > 0.5 else {}
        return {**base, "top_texts": top, **ranks, **ties, **shown}
    if task == "segmentation":
        kept = rows[:6]
        predicted = np.stack([packed(8 + int((1 - skill) * 10) + n // 3) for n in kept])
        truth = np.stack([packed(8)] * 6)
        examples = {"example_row": kept, "example_prediction": predicted, "example_target": truth}
        counts = dict(tp=np.full(TEST, 50), fp=rows, fn=TEST - rows, tn=np.full(TEST, 900))
        return {**base, **counts, **examples, "meta_size": np.asarray(SIZE)}
    boxes = np.array([[4, 4, 20, 24], [1, 2, 3, 4.0]])
    flat = {"flat_sample": np.array([0, 0]), "flat_box": boxes, "flat_score": np.array([skill, 0.1])}
    truth = {"truth_sample": np.array([0, 2]), "truth_box": boxes[[0, 0]]}
    flat["flat_label"] = truth["truth_label"] = np.array([0, 0])
    return {**base, **flat, **truth, "meta_classes": np.array(["opacity"])}


def explanation() -> dict[str, np.ndarray]:
    """Of samples 1 and 3: the first looks at the upper left and has one sentence only."""
    attention = np.full((2, 2, 4, 4), np.nan, np.float16)
    attention[0, 0] = attention[1] = 0.25
    attention[:, 0, 0, 0] = 0.75
    return {
        "example_row": np.array([1, 3]),
        "example_attention": attention,
        "example_attention_text": np.array([["Report <1>.", ""], ["Report <3>.", "Clear."]]),
        "example_written": np.array([["Clear.", "Edema."], ["", ""]]),
        "example_reconstruction": np.full((2, SIZE, SIZE), 90, np.uint8),
        "meta_prototype_share": np.array([0.75, 0.25]),
        "meta_prototype_sentences": np.array([["Clear lungs.", "No <edema>."], ["Effusion.", ""]]),
        "meta_prototype_usage": np.array([8, 1.75]),
        "meta_partner_term": np.array(["global", "local"]),
        "meta_partner_loss": np.array([[1.0, 3.5, 2.5, 2.25, 2.75], [0.5, 0.5, 0.0, -0.125, 0.125]]),
        "meta_partner_verdict": np.array(["depends on the pair", "does not depend on the pair"]),
    }


METRICS = {
    "zero_shot": ("accuracy",),
    "retrieval": ("recall_at_5",),
    "segmentation": ("dice_micro",),
    "detection": ("map_40_75",),
    "classification": ("auroc",),
}


def fill(store: Store, folder) -> None:
    plan = []
    for name, skill in (("Random", 0.3), ("ConVIRT", 0.9)):
        for task, metrics in METRICS.items():
            for seed in (0, 1):
                for fraction in (0.1, 1.0) if task == "classification" else (1.0,):
                    spec = {
                        "backbone": {"name": name, "type": "random"},
                        "task": task,
                        "data": {"name": "drawn (synthetic)", "type": "drawn", "root": str(folder)},
                        "protocol": Protocol(f"demo/{task}", task, metrics=metrics).to_dict(),
                        "fraction": fraction,
                        "seed": seed,
                    }
                    key = f"{name}-{task}-{seed}-{fraction}"
                    plan.append({"spec": spec, "key": key, "reason": ""})
                    values = {metrics[0]: skill * fraction + seed / 100}
                    if task == "classification":
                        values |= {f"auroc/{c}": skill for c in CLASSES}
                    record = RunRecord(
                        key,
                        "done",
                        spec,
                        metrics=values,
                        history=[{"epoch": e, "loss": 1 / e, "valid": skill} for e in (1, 2, 3)],
                        provenance={
                            "finished": f"2026-01-01T00:00:0{seed}",
                            "command": "prior-bench run drawn",
                            "versions": {"prior-bench": "0.1.0", "torch": "2.6"},
                            "hardware": {"cpu": "some CPU", "cores": 2},
                            "wall_seconds": 1.5,
                            "identity": f"{name}{seed}".ljust(70, "0"),
                            "backbone": {
                                "path": str(folder / f"{name}-{seed}" / "final.safetensors"),
                                "chosen": f"epoch {seed + 1} of 2",
                                "warnings": [f"epoch 2: <{name}> collapsed"] if seed else [],
                            },
                            "input": {"size": SIZE, "resize": "pad"},
                        },
                        synthetic=True,
                    )
                    store.save(record, None if task == "classification" else predictions(task, skill))
    plan.append({"spec": {**spec, "seed": 2}, "key": "", "reason": "because <of> that"})
    store.save_plan(plan)


@pytest.fixture
def drawn(tmp_path):
    """The suite and its filled store."""
    folder = tmp_path / "data/drawn"  # the data root of the tests
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(TEST):
        Image.fromarray(random.integers(0, 255, (40, 24), np.uint8)).save(folder / f"{i}.png")
    (folder / "ConVIRT-0").mkdir()
    history = [
        {"epoch": 1, "loss": 3, "stage": 1, "valid/recall_at_5": 0.25},
        {"epoch": 2, "loss": 1, "stage": 2, "valid/recall_at_5": 0.5},
    ]
    (folder / "ConVIRT-0" / "history.json").write_text(json.dumps(history))
    DATASETS.register_module("drawn", force=True, module=read_drawn)
    suite = Suite("drawn", [], [], title="Drawn <images>")
    store = Store.of("drawn")
    fill(store, folder)
    return suite, store


class Reader(HTMLParser):
    """Checks nesting, and notes ids, links, images and loaded addresses."""

    VOID = {"meta", "link", "br", "img", "col", "image", "path", "use", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.targets, self.loaded, self.untitled = [], [], [], [], 0

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [values["id"]] if "id" in values and tag.startswith("h") else []
        if tag == "a":
            self.targets.append(values["href"])
        self.loaded += [values[n] for n in ("src", "href", "xlink:href") if n in values and tag != "a"]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(drawn):
    whole = build_page(*drawn)
    assert "default-src 'none'" in whole and "unsafe-eval" not in whole
    reader = Reader()
    reader.feed(whole)
    assert reader.open == []
    text = whole.replace(drawing_script(TEMPLATES), "")  # which names addresses, and may load none
    assert len(whole) - len(text) > 500_000
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "ids are unique on the page"
    assert {target.removeprefix("#") for target in reader.targets} <= set(reader.ids)
    assert all(address.startswith(("data:", "#")) for address in reader.loaded)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    for svg in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        assert 'aria-hidden="true"' in svg or ('role="img"' in svg and re.search(r"<title>[^<]+<", svg))


def test_the_page_says_everything(drawn):
    text = build_page(*drawn)
    for part in (
        "<h1>Drawn &lt;images&gt;</h1>",
        "Synthetic data.",
        "24 of 25 runs finished",
        "Label efficiency",
        "Edema &amp; more",
        "Pre-training loss",
        "because &lt;of&gt; that",
        "<summary>demo/zero_shot</summary>",
        "prior-bench run drawn",
        "some CPU",
        "Report &lt;0&gt;. Clear.",
    ):
        assert part in text, part
    assert "Report <" not in text


def test_pretraining_shows_validation_by_seed_with_stages_and_warnings(drawn):
    text = build_page(*drawn)
    section = text.partition('<h2 id="training">')[2].partition("</section>")[0]
    assert "ConVIRT, seed 0: 1 25, 2 50" in section, "the curve in words"
    assert "Validation Recall@5 on held-out patients" in section
    assert "Dotted lines are the ends of a method" in section
    assert "zero-shot AUROC" not in section, "it was not measured"
    assert "ConVIRT, seed 1: epoch 2: &lt;ConVIRT&gt; collapsed" in section
    assert "ConVIRT, seed 0: epoch 2:" not in section
    assert section.count("ConVIRT, seed 0: epoch 1 of 2") == 1, "once for all runs of a training"


def test_zero_shot_examples_show_each_class_and_who_is_right(drawn):
    made = by_task(drawn)["zero_shot"]
    assert [e.title for e in made.examples[:2]] == ["Truth: Edema & more", "Truth: Effusion"]
    answer = made.examples[0].answers[1]
    assert answer.backbone == "ConVIRT" and answer.caption == "Edema & more (right)"
    assert answer.bars == [("Edema & more", 1.0, True), ("Effusion", 0.0, False)]


def test_retrieved_reports_mark_the_own_one(drawn):
    example = by_task(drawn)["retrieval"].examples[0]
    assert example.text == "Report <0>. Clear."
    random, convirt = example.answers
    assert convirt.texts[0] == ("Report <0>. Clear.", True) and convirt.caption == "own report at rank 1 of 8"
    assert not any(own for _, own in random.texts) and random.texts[0][0] == "Report <1>. Clear."


def test_explanations_show_attention_reconstruction_and_written_sentences(drawn):
    first, second = by_task(drawn)["explanation"].examples
    assert first.text == "Report <1>. Clear." and [a.backbone for a in first.answers] == ["ConVIRT"]
    (answer,) = first.answers
    assert [text for _, text in answer.panels] == [
        "Report <1>. (0.250 to 0.750)",
        "reconstructed from image and report",
    ]
    assert answer.written == [("Clear.", True), ("Edema.", False)]
    assert len(second.answers[0].panels) == 3 and second.answers[0].caption == "writes no sentence"
    assert "✓ in the report" in build_page(*drawn)


def test_records_without_explanations_have_no_such_gallery(drawn):
    runs = [e for e in reported_runs([drawn[1]]) if e.record and e.spec["task"] == "retrieval"]
    random = [e for e in runs if e.spec["backbone"]["name"] == "Random"]
    assert [gallery.kind for gallery in kinds.galleries(random[:1])] == ["retrieval"]


def test_attention_is_drawn_where_it_is():
    grid = np.zeros((4, 4))
    grid[0, 3] = 0.5
    drawn = overlay(np.full((32, 32), 100, np.uint8), grid, 64).astype(int)
    change = np.abs(drawn - 100).sum(-1)
    assert change[:16, 48:].mean() > 50 and change[32:, :32].max() == 0
    assert (overlay(np.full((8, 8), 7, np.uint8), np.ones((2, 2)), 8) == 7).all()


def test_segmentation_examples_go_from_best_to_worst(drawn):
    made = by_task(drawn)["segmentation"]
    dice = [float(e.answers[1].caption.removeprefix("Dice ")) for e in made.examples]
    # the predicted square lies 0 or 1 rows lower than the true one: all or 7/8 of the rows overlap
    assert dice == sorted(dice, reverse=True) and set(dice) == {1.0, 0.88}
    titles = [example.title for example in made.examples]
    assert titles[0].startswith("Best of the stored images, mean Dice 0.") and titles[1].startswith(
        "Mean Dice 0."
    )
    assert titles[2].startswith("Median of") and titles[4].startswith("Worst of")
    picture = made.examples[0].answers[1].picture
    assert (picture.width, picture.height) == (SIZE, SIZE)
    assert [mark.kind for mark in picture.marks] == ["true", "predicted"]


def test_detection_examples_have_true_boxes_and_scores(drawn):
    examples = by_task(drawn)["detection"].examples
    assert len(examples) == 2
    picture = examples[0].answers[1].picture
    assert [m.kind for m in picture.marks] == ["true", "predicted", "predicted"]
    assert [m.text for m in picture.marks] == ["", "0.90", "0.10"]
    assert examples[0].answers[1].caption == "best detection: score 0.90, IoU 1.00"
    assert examples[1].answers[1].caption == "no detection"


def by_task(drawn) -> dict[str, Gallery]:
    groups = evaluations_of([e for e in reported_runs([drawn[1]]) if e.record])
    made = [kinds.galleries([e for e in runs if e.spec["seed"] == 0]) for runs in groups]
    return {gallery.kind: gallery for some in made for gallery in some}


def test_missing_images_and_predictions_are_said_and_the_page_still_stands(drawn, tmp_path):
    for path in (tmp_path / "data/drawn").glob("*.png"):
        path.unlink()
    for path in drawn[1].runs.glob("*detection*/predictions.npz"):
        path.unlink()
    text = build_page(*drawn)
    assert text.count("No examples can be shown") == 4 and "no such image file" in text


def test_an_empty_store_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="there is no finished run\n  fix: prior-bench run none"):
        build_page(Suite("none", [], []), Store(tmp_path / "none"))


def test_an_outline_runs_along_the_pixel_edges():
    mask = np.zeros((10, 10), bool)
    mask[2:5, 3:8] = True
    numbers = [float(n) for n in re.findall(r"[\d.]+", outline(mask))]
    x, y = numbers[0::2], numbers[1::2]
    assert (min(x), max(x), min(y), max(y)) == (3, 8, 2, 5)
    assert outline(np.zeros((4, 4))) == ""


def test_boxes_are_scaled():
    assert rectangle(np.array([10, 20, 30, 60]), 0.5) == "M5.0 10.0H15.0V30.0H5.0Z"


@pytest.mark.parametrize("mode, corner, middle", [("pad", 0, 200), ("squash", 200, 200), ("crop", 200, 200)])
def test_pictures_show_what_the_network_saw(mode, corner, middle):
    import base64
    import io

    picture = Original(np.full((40, 20), 200, np.uint8)).as_input(32, mode, "alt")
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2]))))
    assert image.shape == (32, 32)
    assert abs(int(image[0, 0]) - corner) < 8 and abs(int(image[16, 16]) - middle) < 8


def test_a_history_without_time_is_no_training_curve(drawn):
    from prior_bench.report.html.figures.row_look import colours_of
    from prior_bench.report.html.sections.training import training

    runs = [e for e in reported_runs([drawn[1]]) if e.record and e.spec["task"] == "detection"]
    colours = colours_of(["Random", "ConVIRT"])
    assert len(training(runs, colours)) == 2  # the loss and the validation score
    for entry in runs:
        entry.record.history[:] = [{"strength": c, "valid": c} for c in (0.1, 1.0)]
    assert training(runs, colours) == []


def test_loss_terms_are_shown_with_right_and_wrong_partners(drawn):
    text = build_page(*drawn)
    section = text.partition('<h2 id="partners">')[2].partition("</section>")[0]
    assert section.count("<table") == 1 and 'href="#partners"' in text
    rows = [re.findall(r">([^<>\n]+)<", row) for row in section.split("<tr")[2:]]
    expected = ["ConVIRT", "global", "1.000", "3.500", "2.500", "2.250", "2.750", "depends on the pair"]
    assert rows[0] == expected and len(rows) == 2


def test_prototypes_are_shown_with_their_sentences(drawn):
    text = build_page(*drawn)
    section = text.partition('<h2 id="prototypes">')[2].partition("</section>")[0]
    assert section.count("<table") == 1 and "ConVIRT: the prototypes" in section
    assert "The perplexity of the choices is 1.8 of 8 prototypes (22 %)" in section
    assert "75.0" in section and "Clear lungs. · No &lt;edema&gt;." in section and "Effusion." in section
