"""Write the report of a study: sentences about its findings, and the labels that the sentences state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from prior_bench.sample.cohort import Patient, Study
from prior_bench.sample.drawing.findings import Finding
from prior_bench.sample.drawing.objects import DEVICES
from prior_bench.sample.reports import general_phrases, phrases
from prior_bench.sample.reports.phrases import Phrase

LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""The 14 observations of CheXpert (Irvin et al. 2019), in the order of its files."""

LABEL_OF = {
    "atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "consolidation": "Consolidation",
    "edema": "Edema",
    "effusion": "Pleural Effusion",
    "lesion": "Lung Lesion",
    "pneumothorax": "Pneumothorax",
}
"""Label of each kind of finding; a foreign object has a label only if it is a support device."""

LUNG_KINDS = ("atelectasis", "consolidation", "edema", "lesion")
SHORTEST, LONGEST = 4, 10
"""Smallest and largest number of sentences in a report, findings and impression together."""
HEDGE_CHANCE = 0.25
"""Probability that the report only suspects a mild finding."""
DENIAL_CHANCE = {
    "consolidation": 0.75,
    "effusion": 0.75,
    "pneumothorax": 0.8,
    "edema": 0.35,
    "atelectasis": 0.04,
    "lesion": 0.12,
}
"""Probability that the report states the absence of a finding."""

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """The report of a study.

    Attributes:
        examination, indication, comparison: header lines.
        findings, impression: sentences of the two sections; both have at least one.
        labels: labels that the sentences state: 1 present, 0 denied, -1 uncertain; no entry if not mentioned.
        grounded: sentences that state or suspect a finding that has a label, with that finding, in the order
            of the report.
    """

    examination: str
    indication: str
    comparison: str
    findings: tuple[str, ...]
    impression: tuple[str, ...]
    labels: dict[str, int]
    grounded: tuple[tuple[str, Finding], ...] = ()


class Sentence(NamedTuple):
    """A sentence, the labels it states (1 present, 0 denied, -1 uncertain), and the finding it describes."""

    text: str
    says: dict[str, int]
    about: Finding | None = None


class _Writer:
    """The state of writing one report: the study, the random generator and the uncertain findings."""

    def __init__(self, study: Study):
        self.study = study
        self.rng = np.random.default_rng(study.seed)
        self.hedged = {
            f.kind
            for f in study.findings
            if f.kind in phrases.HEDGED and f.grade == "mild" and self.chance(HEDGE_CHANCE)
        }

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)


def write_report(patient: Patient, study: Study) -> Report:
    """Write the report of a study: 4 to 10 sentences in findings and impression together.

    Args:
        patient, study: subject of the report; the result depends only on them.
    """
    writer = _Writer(study)
    impression = _impression(writer)
    findings = _findings(writer, room=LONGEST - len(impression), least=SHORTEST - len(impression))
    labels = labels_said((*findings, *impression))
    about = {sentence.text: sentence.about for sentence in (*findings, *impression)}
    return Report(
        examination=_examination(writer),
        indication=_indication(writer, patient.sex),
        comparison=_comparison(writer),
        findings=tuple(sentence.text for sentence in findings),
        impression=tuple(sentence.text for sentence in impression),
        labels=labels,
        grounded=tuple((text, finding) for text, finding in about.items() if finding is not None),
    )


def labels_said(sentences: Iterable[Sentence]) -> dict[str, int]:
    """Combine the labels of sentences as CheXpert's labeler does: present before uncertain before denied."""
    strength = {0: 0, -1: 1, 1: 2}
    labels: dict[str, int] = {}
    for sentence in sentences:
        for label, value in sentence.says.items():
            labels[label] = max(value, labels.get(label, 0), key=strength.__getitem__)
    if not any(value for label, value in labels.items() if label != "Support Devices"):
        labels["No Finding"] = 1
    return labels


def true_labels(study: Study) -> dict[str, int]:
    """Return all 14 labels (1 or 0) as the image shows them, like the consensus of a panel of readers."""
    values = dict.fromkeys(LABELS, 0)
    for finding in study.findings:
        if finding.kind in LABEL_OF:
            values[LABEL_OF[finding.kind]] = 1
        elif finding.variant in DEVICES:
            values["Support Devices"] = 1
    values["Lung Opacity"] = int(any(study.has(kind) for kind in LUNG_KINDS))
    values["Enlarged Cardiomediastinum"] = int(study.has("cardiomegaly"))
    values["No Finding"] = int(not any(v for k, v in values.items() if k != "Support Devices"))
    return values


# --- sections ---------------------------------------------------------------------------------------


def _findings(writer: _Writer, room: int, least: int) -> list[Sentence]:
    study = writer.study
    sentences = [_describe(writer, finding, phrases.PRESENT) for finding in study.findings]
    sentences += _resolved(writer) + _denials(writer) + _normal(writer)
    padding = (
        writer.pick(general_phrases.NORMAL_MEDIASTINUM),
        writer.pick(general_phrases.NORMAL_BONES),
        "The upper abdomen is unremarkable.",
        "Visualized soft tissues are unremarkable.",
    )
    for text in padding:
        if len(sentences) < max(least, 3) or writer.chance(0.3):
            sentences.append(Sentence(text, {"Fracture": 0} if "fracture" in text else {}))
    sentences = sentences[:room]
    writer.rng.shuffle(sentences)
    if study.prior is not None and len(sentences) < room and writer.chance(0.4):
        sentences.insert(0, _comparing(writer))
    return sentences


def _impression(writer: _Writer) -> list[Sentence]:
    study = writer.study
    worth = sorted((f for f in study.findings if f.kind in LABEL_OF), key=lambda f: -f.severity)
    if not worth:
        return [Sentence(writer.pick(general_phrases.NOTHING), {})]
    sentences = [_describe(writer, finding, phrases.CONCLUDED) for finding in worth[:3]]
    absent = [kind for kind in ("pneumothorax", "consolidation", "effusion") if not study.has(kind)]
    if absent and writer.chance(0.3):
        kind = writer.pick(absent)
        sentences.append(Sentence(f"No {writer.pick(phrases.DENIED[kind])}.", {LABEL_OF[kind]: 0}))
    return sentences


def _describe(writer: _Writer, finding: Finding, book: dict[str, tuple[Phrase, ...]]) -> Sentence:
    if finding.kind == "foreign_object":
        text = writer.pick(general_phrases.OBJECTS[finding.variant]).format(side=finding.side)
        return Sentence(_tidy(text), {"Support Devices": 1} if finding.variant in DEVICES else {})
    hedged = finding.kind in writer.hedged
    if hedged:
        book = phrases.HEDGED
    conditions = _conditions(writer.study, finding)
    phrase = writer.pick([p for p in book[finding.kind] if p.when <= conditions])
    says = {LABEL_OF[finding.kind]: -1 if hedged else 1, **phrase.says}
    return Sentence(_fill(writer, phrase.text, finding), says, finding)


def _resolved(writer: _Writer) -> list[Sentence]:
    """Return sentences about findings of the prior study that this study does not have."""
    gone = {f.kind for f in writer.study.prior or ()} - {f.kind for f in writer.study.findings}
    return [
        Sentence(writer.pick(phrases.RESOLVED[kind]), {LABEL_OF[kind]: 0})
        for kind in sorted(gone & LABEL_OF.keys())
    ]


def _denials(writer: _Writer) -> list[Sentence]:
    """Return sentences that deny absent findings: usually one sentence for all, sometimes two, or none."""
    gone = {f.kind for f in writer.study.prior or ()}
    kinds = [
        kind
        for kind, share in DENIAL_CHANCE.items()
        if not writer.study.has(kind) and kind not in gone and writer.chance(share)
    ]
    apart = len(kinds) > 1 and writer.chance(0.35)
    groups = [kinds[:1], kinds[1:]] if apart else [kinds]
    sentences = []
    for group in filter(None, groups):
        names = _enumerate([writer.pick(phrases.DENIED[kind]) for kind in group])
        text = writer.pick(phrases.DENIALS).format(list=names)
        sentences.append(Sentence(_tidy(text), {LABEL_OF[kind]: 0 for kind in group}))
    return sentences


def _normal(writer: _Writer) -> list[Sentence]:
    """Return sentences about lung volume, a normal heart and clear lungs."""
    study, sentences = writer.study, []
    if study.views[0].position == "AP" and writer.chance(0.35):
        sentences.append(Sentence(writer.pick(general_phrases.LOW_VOLUMES), {}))
    resolved = any(f.kind == "cardiomegaly" for f in study.prior or ())
    if not study.has("cardiomegaly") and not resolved and writer.chance(0.75):
        text = writer.pick(general_phrases.NORMAL_HEART)
        both = ("Enlarged Cardiomediastinum",) if "mediastinal" in text else ()
        sentences.append(Sentence(text, dict.fromkeys(("Cardiomegaly", *both), 0)))
    ill = any(study.has(kind) for kind in (*LUNG_KINDS, "effusion", "pneumothorax"))
    if not ill and writer.chance(0.7):
        sentences.append(Sentence(writer.pick(general_phrases.NORMAL_LUNGS), {}))
    return sentences


def _comparing(writer: _Writer) -> Sentence:
    now, before = (
        {(f.kind, f.severity) for f in fs} for fs in (writer.study.findings, writer.study.prior or ())
    )
    return Sentence(writer.pick(general_phrases.UNCHANGED if now == before else general_phrases.CHANGED), {})


# --- words ------------------------------------------------------------------------------------------


def _before(study: Study, finding: Finding) -> Finding | None:
    return next((f for f in study.prior or () if f.kind == finding.kind), None)


def _change(study: Study, finding: Finding) -> str:
    if study.prior is None:
        return ""
    before = _before(study, finding)
    if before is None:
        return "new"
    delta = finding.severity - before.severity
    return "worse" if delta > 0.08 else "better" if delta < -0.08 else "stable"


def _conditions(study: Study, finding: Finding) -> set[str]:
    side = "bilateral" if finding.side == "bilateral" else "onesided"
    held = {finding.grade, f"not{'mild' if finding.grade != 'mild' else 'severe'}", finding.zone, side}
    held |= {finding.side, finding.variant}
    if finding.grade == "moderate":
        held.add("notsevere")
    if _before(study, finding) is not None:
        held.add("persists")
    if study.views[0].position == "AP":
        held.add("portable")
    return held


def _fill(writer: _Writer, text: str, finding: Finding) -> str:
    change = _change(writer.study, finding)
    grades = _of(phrases.GRADES, finding)[finding.grade]
    words = {
        "grade": writer.pick(grades),
        "gradely": phrases.ADVERBS[finding.grade],
        "change": writer.pick(phrases.CHANGES[change]) if writer.chance(0.6) else "",
        "changed": {"worse": "increased", "better": "decreased"}.get(change, "unchanged"),
        "evolved": {"worse": "increased", "better": "improved"}.get(change, "not changed"),
        "newly": {"new": "newly", "": "now"}.get(change, "again"),
        "side": finding.side,
        "where": writer.pick(phrases.WHERE.get((finding.side, finding.zone), ("",))),
        "kind": writer.pick(_of(phrases.SUBTYPES, finding)),
    }
    if words["kind"] == words["grade"]:
        words["grade"] = ""
    return _tidy(text.format(**words))


def _of(words: Mapping[str, T], finding: Finding) -> T:
    """Return the words for a finding: those of its grade or variant if they exist, else those of its kind."""
    special = (f"{finding.grade} {finding.kind}", f"{finding.variant} {finding.kind}")
    return next((words[name] for name in special if name in words), words[finding.kind])


def _enumerate(names: list[str]) -> str:
    if len(names) < 3:
        return " or ".join(names)
    return f"{', '.join(names[:-1])}, or {names[-1]}"


def _tidy(text: str) -> str:
    """Correct spaces, articles ("a" or "an") and the capital letter at the start."""
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").replace(" .", ".").strip()
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    text = re.sub(r"\b([Aa])n (?=[^aeiou\s])", r"\1 ", text)
    return text[0].upper() + text[1:]


# --- header -----------------------------------------------------------------------------------------


def _examination(writer: _Writer) -> str:
    positions = [view.position for view in writer.study.views]
    if "LATERAL" in positions:
        return writer.pick(("CHEST (PA AND LAT)", "Chest radiograph, PA and lateral"))
    if positions[0] == "AP":
        return writer.pick(("CHEST (PORTABLE AP)", "Portable chest radiograph", "CHEST RADIOGRAPH (AP)"))
    return writer.pick(("CHEST (PA)", "CHEST RADIOGRAPH", "Chest radiograph, single view"))


def _indication(writer: _Writer, sex: str) -> str:
    kind = writer.study.findings[0].kind if writer.study.findings else "healthy"
    complaint = writer.pick(general_phrases.COMPLAINTS[kind])
    who = "woman" if sex == "F" else "man"
    return writer.pick(
        (
            f"___ year old {who} with {complaint}.",
            f"___{sex} with {complaint}.",
            f"History: ___{sex} with {complaint}  // evaluate for acute process",
        )
    )


def _comparison(writer: _Writer) -> str:
    if writer.study.prior is None:
        return writer.pick(("None.", "None available.", "No prior studies available."))
    return writer.pick(("Chest radiograph from ___.", "___.", "Prior chest radiograph dated ___."))
