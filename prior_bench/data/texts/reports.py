"""Radiology reports: their sections and sentences, and the papers' policies for using them.

Sections follow the style of MIMIC-CXR reports: a heading in capitals and a colon at the start of a line
("FINDINGS:"). Headings are often missing or irregular ("AP CHEST:", "CONCLUSION:").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from prior_bench.data.texts.sentences import LETTER, WIDE, normalise_marks, split_sentences, without_long_runs
from prior_bench.errors import unknown_name

_CLOCK = r"(?<=\d):(?=\d\d)"  # "AP CHEST, 5:15 A.M.:" is one heading
_HEADING = re.compile(rf"^[^\S\n]*([A-Za-z](?:[A-Za-z0-9 _,/()&.'-]|{_CLOCK}){{1,70}}?)[^\S\n]*:(?!\d)", re.M)
_BANNER = re.compile(
    r"^\s*(?:FINAL REPORT|FINAL ADDENDUM|WET READ|ADDENDUM|PRELIMINARY REPORT)\b[^\n:]*$", re.M | re.I
)
_SIGNATURE = re.compile(r"electronically signed|dictated by|transcribed by|^\s*dr\.\s*_+\s*$", re.I | re.M)

_NAMES = {
    "findings": ("findings", "finding", "report", "chest findings", "observations", "body"),
    "impression": (
        "impression", "impressions", "conclusion", "conclusions", "opinion", "assessment",
        "findings and impression", "findings/impression", "findings impression", "impression and findings",
        "provisional findings impression", "preliminary impression", "final impression", "summary",
    ),
    "indication": ("indication", "indications", "history", "clinical history", "clinical information",
                   "clinical indication", "reason for exam", "reason for examination", "reason for study",
                   "reason", "patient history", "medical condition", "indication for study"),
    "examination": ("examination", "exam", "study", "type of examination", "type of exam", "procedure"),
    "technique": ("technique", "views", "protocol"),
    "comparison": ("comparison", "comparisons", "comparison exam", "prior studies", "comparison studies"),
    "notification": ("notification", "notifications", "communication", "recommendation", "recommendations",
                     "wet read", "addendum", "note"),
}  # fmt: skip
_SECTION_OF = {spelling: section for section, spellings in _NAMES.items() for spelling in spellings}
_EXAM_WORDS = re.compile(
    r"\b(chest|radiographs?|x-?rays?|portable|supine|upright|frontal|lateral|views?|ap|pa)\b"
)
_PROSE = ("findings", "impression")
_PROSE_LIKE = re.compile(
    rf"(?:{LETTER}[^\x00-\x7f\w\s]*){{3}}|[{WIDE}]"
)  # letters may carry marks, as in Hindi
_WORD = re.compile(rf"[{WIDE}]|[^\W{WIDE}]+")  # without blanks between words, each letter counts as one


def parse_sections(text: str) -> dict[str, str]:
    """Split a report into its sections, by canonical name.

    Names are ``findings``, ``impression``, ``indication``, ``examination``, ``technique``, ``comparison``,
    ``notification``, ``preamble`` (the text before the first heading) and ``last_paragraph`` (the fall-back
    for reports without headings). A heading that names the examination ("AP CHEST:") starts ``findings``.
    Unknown headings within findings or impression ("LUNGS:") belong to the prose. Empty sections are left
    out; parts of a section that occurs twice are joined.
    """
    text = _BANNER.sub("", without_long_runs(text.replace("\r\n", "\n")))
    sections: dict[str, list[str]] = {}
    current, start = "preamble", 0
    for heading in _HEADING.finditer(text):
        name = _canonical(heading.group(1), inside=current)
        if name is None:
            continue
        sections.setdefault(current, []).append(text[start : heading.start()])
        current, start = name, heading.end()
    sections.setdefault(current, []).append(text[start:])
    joined = {name: "\n\n".join(part.strip() for part in parts).strip() for name, parts in sections.items()}
    joined["last_paragraph"] = _last_paragraph(text)
    return {name: part for name, part in joined.items() if part}


def _canonical(heading: str, inside: str) -> str | None:
    """Return the section that a heading starts, or None if it is part of the running text."""
    plain = re.sub(r"\([^)]*\)|[_#\d.]+", " ", heading.lower())
    plain = " ".join(plain.split()).strip(" -,")
    capitals = heading == heading.upper()
    if plain in _SECTION_OF and (capitals or heading[0].isupper()):
        return _SECTION_OF[plain]
    if not capitals or inside in _PROSE:
        return None
    if _EXAM_WORDS.search(plain):
        return "findings"
    return plain or None


def _last_paragraph(text: str) -> str:
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if _PROSE_LIKE.search(p) and not _SIGNATURE.search(p)]
    if not paragraphs:
        return ""
    last = paragraphs[-1]
    heading = _HEADING.match(last)
    if heading and (heading.group(1).isupper() or _canonical(heading.group(1), inside="")):
        last = last[heading.end() :]
    return last.strip()


@dataclass(frozen=True)
class ReportPolicy:
    """A policy: the sections of a report that are used, and the reports that are left out.

    Attributes:
        name: name in results.
        sections: sections that are used, if present, in this order.
        fallback: if none of ``sections`` is present, the first of these that is present is used.
        min_sentence_tokens: sentences with fewer words are dropped.
        min_sentences, min_tokens: reports with fewer sentences or words are left out.
        max_tokens: maximum number of word pieces in training; the tokenizer applies it.
        marks: replacement of de-identification marks; ``""`` removes them.
        source: paper or code that the policy follows.
    """

    name: str = "default"
    sections: tuple[str, ...] = ("findings", "impression")
    fallback: tuple[str, ...] = ("last_paragraph",)
    min_sentence_tokens: int = 1
    min_sentences: int = 1
    min_tokens: int = 3
    max_tokens: int = 256
    marks: str = "___"
    source: str = ""

    def sentences(self, text: str) -> tuple[str, ...]:
        """Return the usable sentences of a report; no report is left out yet."""
        parts = parse_sections(text)
        chosen = [parts[s] for s in self.sections if s in parts]
        if not chosen:
            chosen = [parts[s] for s in self.fallback if s in parts][:1]
        found = [s for part in chosen for s in split_sentences(normalise_marks(part, self.marks))]
        return tuple(s for s in found if _words(s) >= self.min_sentence_tokens)

    def select(self, text: str) -> tuple[tuple[str, ...], str]:
        """Return (sentences, "") for a report that is kept, or ((), reason) for one that is left out."""
        sentences = self.sentences(text)
        if not sentences:
            return (), f"no {' or '.join(self.sections)}"
        if len(sentences) < self.min_sentences:
            return (), f"fewer than {self.min_sentences} sentences"
        if sum(map(_words, sentences)) < self.min_tokens:
            return (), f"fewer than {self.min_tokens} words"
        return sentences, ""


def _words(text: str) -> int:
    return len(_WORD.findall(text))


DEFAULT = ReportPolicy()
PRIOR = ReportPolicy(
    "prior", ("impression", "findings"), (), min_sentences=4, min_tokens=0, max_tokens=256,
    source="Cheng et al. 2023 (PRIOR), released pre-training code",
)  # fmt: skip
MGCA = ReportPolicy(
    "mgca", ("impression", "findings"), (), min_sentence_tokens=2, max_tokens=112,
    source="Wang et al. 2022 (MGCA), released pre-training code",
)  # fmt: skip
GLORIA = ReportPolicy(
    "gloria", ("impression",), (), min_sentence_tokens=2, min_tokens=0, max_tokens=97,
    source="Huang et al. 2021 (GLoRIA), released pre-training code",
)  # fmt: skip
CONVIRT = ReportPolicy(
    "convirt", ("findings", "impression"), (), max_tokens=512,
    source="Zhang et al. 2020 (ConVIRT), as in the LoVT repository",
)  # fmt: skip
LOVT = ReportPolicy(
    "lovt", ("findings", "impression"), (), max_tokens=512,
    source="Mueller et al. 2022 (LoVT), released code",
)  # fmt: skip
POLICIES = {p.name: p for p in (DEFAULT, PRIOR, MGCA, GLORIA, CONVIRT, LOVT)}
"""Policies by name."""


def report_policy(choice: str | dict | ReportPolicy) -> ReportPolicy:
    """Return a policy by name or from a dict of fields; the dict may name the policy it modifies in ``base``.

    Raises:
        BenchError: a policy or a field is unknown.
    """
    if isinstance(choice, ReportPolicy):
        return choice
    if isinstance(choice, str):
        if choice not in POLICIES:
            raise unknown_name("report policy", choice, list(POLICIES))
        return POLICIES[choice]
    values = {"name": "custom", **choice}
    base = report_policy(values.pop("base", "default"))
    known = list(ReportPolicy.__dataclass_fields__)
    for key in values:
        if key not in known:
            raise unknown_name("field of a report policy", key, [*known, "base"])
    lists = {k: tuple(values[k]) for k in ("sections", "fallback") if k in values}
    return ReportPolicy(**{**base.__dict__, **values, **lists})
