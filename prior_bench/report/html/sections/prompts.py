"""Zero-shot scores of each prompt, which show the wordings that a method understands."""

from __future__ import annotations

from statistics import mean

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.html.sortable import SortableTable, Value, number, words
from prior_bench.report.html.wording import evaluation_title
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.selection import most_labels

Prompt = tuple[str, str]
"""The class and the text of a prompt."""

Score = tuple[float, float]
"""AUROC of a prompt alone, and mean similarity of images with its class minus that of other images."""


def prompt_table(entries: list[FinishedRun]) -> tuple[SortableTable | None, str]:
    """Return the AUROC of every prompt for its class by row, averaged over seeds; or None and the reason.

    Args:
        entries: finished zero-shot runs of one data set and protocol.
    """
    found: dict[Prompt, dict[str, list[Score]]] = {}
    names = []
    for entry in most_labels(entries):
        name = entry.spec["backbone"]["name"]
        try:
            scored = _scored(load_predictions(entry.store.root, entry.key))
        except KeyError as error:
            return None, f"the stored predictions of {name} lack {error}"
        except BenchError:
            return None, f"the predictions of {name} are missing or damaged"
        names.append(name)
        for prompt, score in scored.items():
            found.setdefault(prompt, {}).setdefault(name, []).append(score)
    names = list(dict.fromkeys(names))
    caption = (
        f"{evaluation_title(entries[0].spec)}: AUROC × 100 of each prompt alone for its class. In brackets: "
        "mean similarity of images with the class minus that of other images, on the scale of each method."
    )
    table = SortableTable(caption, ["Prompt", "Class", *names])
    for (label, text), by_name in found.items():
        cells = [_cell(by_name.get(name, [])) for name in names]
        table.rows.append([words(text), words(label), *cells])
    return table, ""


def _scored(predictions: dict[str, np.ndarray]) -> dict[Prompt, Score]:
    """Return scores by prompt, except for classes whose known labels are all equal.

    A prompt for the absence of a class is evaluated with the images without it as positives.
    """
    from sklearn.metrics import roc_auc_score

    similarity, target = np.asarray(predictions["prompt_score"], float), predictions["target"]
    classes, found = predictions["meta_classes"], {}
    owners = predictions["meta_prompt_class"]
    absence = predictions.get("meta_prompt_negative", np.zeros(len(owners), bool))
    texts = zip(predictions["meta_prompts"], owners, absence, strict=True)
    for column, (text, owner, of_absence) in enumerate(texts):
        known = ~np.isnan(target[:, owner])
        truth, score = target[known, owner] == (0 if of_absence else 1), similarity[known, column]
        if truth.any() and not truth.all():
            gap = float(score[truth].mean() - score[~truth].mean())
            found[f"{'no ' if of_absence else ''}{classes[owner]}", str(text)] = (
                float(roc_auc_score(truth, score)),
                gap,
            )
    return found


def _cell(scores: list[Score]) -> Value:
    if not scores:
        return Value("–")
    area, gap = (mean(values) for values in zip(*scores, strict=True))
    return number(100 * area, text=f"{100 * area:.1f} ({gap:+#.2g})")
