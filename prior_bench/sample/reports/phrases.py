"""Sentence templates for each finding, and the words that fill their slots.

A :class:`Phrase` can be used if all its conditions hold. Slots include ``{grade}`` (severity), ``{change}``
(compared with the prior study, may be empty), ``{side}``, ``{where}`` (prepositional phrase) and ``{kind}``
(subtype).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phrase:
    """A sentence template.

    Attributes:
        text: text with slots.
        when: conditions, all of which must hold (see ``language._conditions``).
        says: labels (1, 0 or -1) that the phrase states besides the label of its own finding.
    """

    text: str
    when: frozenset[str] = frozenset()
    says: dict[str, int] = field(default_factory=dict)


def _phrase(text: str, when: str = "", **says: int) -> Phrase:
    return Phrase(text, frozenset(when.split()), {k.replace("_", " "): v for k, v in says.items()})


GRADES: dict[str, dict[str, tuple[str, ...]]] = {
    "atelectasis": {
        "mild": ("mild", "minimal", "minor"),
        "moderate": ("moderate",),
        "severe": ("severe", "extensive", "marked"),
    },
    "cardiomegaly": {
        "mild": ("mild",),
        "moderate": ("moderate",),
        "severe": ("severe", "marked"),
    },
    "consolidation": {
        "mild": ("small", "subtle", "minor"),
        "moderate": ("moderate", "patchy"),
        "severe": ("large", "extensive", "dense"),
    },
    "focal consolidation": {
        "mild": ("tiny", "faint"),
        "moderate": ("small",),
        "severe": ("small but dense",),
    },
    "lesion": {
        "mild": ("tiny", "small"),
        "moderate": ("moderate-sized", "sizable"),
        "severe": ("large", "dominant"),
    },
    "edema": {
        "mild": ("mild", "minimal", "trace"),
        "moderate": ("moderate",),
        "severe": ("severe", "marked"),
    },
    "effusion": {
        "mild": ("small", "tiny", "trace", "small"),
        "moderate": ("moderate", "moderate-sized"),
        "severe": ("large", "substantial"),
    },
    "pneumothorax": {
        "mild": ("small", "tiny"),
        "moderate": ("moderate", "moderate-sized"),
        "severe": ("large",),
    },
}
ADVERBS = {"mild": "mildly", "moderate": "moderately", "severe": "severely"}

CHANGES = {
    "": ("",),
    "new": ("new",),
    "stable": ("stable", "unchanged", "persistent"),
    "worse": ("increased", "worsening", "progressive"),
    "better": ("decreased", "improving", "improved"),
}

WHERE = {
    ("right", "upper"): ("in the right upper lobe", "at the right upper lung zone", "at the right apex"),
    ("right", "mid"): ("in the right middle lobe", "at the right mid lung zone", "in the right mid lung"),
    ("right", "lower"): (
        "at the right lung base",
        "in the right lower lobe",
        "at the right lower lung zone",
        "at the right base",
    ),
    ("left", "upper"): ("in the left upper lobe", "at the left upper lung zone", "at the left apex"),
    ("left", "mid"): ("in the lingula", "at the left mid lung zone", "in the left mid lung"),
    ("left", "lower"): (
        "at the left lung base",
        "in the left lower lobe",
        "at the left lower lung zone",
        "at the left base",
    ),
    ("bilateral", "upper"): ("in both upper lobes", "at the bilateral upper lung zones"),
    ("bilateral", "mid"): ("at the mid lung zones bilaterally", "in both mid lungs"),
    ("bilateral", "lower"): (
        "at the lung bases",
        "at the bilateral lung bases",
        "in both lower lobes",
        "at both lung bases",
    ),
}

SUBTYPES: dict[str, tuple[str, ...]] = {
    "atelectasis": ("linear", "subsegmental", "bandlike", "plate-like", "discoid", "streaky"),
    "consolidation": ("patchy", "airspace", "confluent", "partial"),
    "focal consolidation": ("focal", "rounded", "nodular"),
    "lesion": ("nodule", "pulmonary nodule", "nodule"),
    "severe lesion": ("mass", "pulmonary mass", "mass"),
    "edema": ("pulmonary edema", "interstitial edema", "pulmonary interstitial edema", "pulmonary edema"),
    "effusion": ("pleural effusion",),
    "pneumothorax": ("pneumothorax",),
    "cardiomegaly": ("cardiomegaly",),
}

PRESENT = {
    "atelectasis": (
        _phrase("There is {change} {grade} {kind} atelectasis {where}."),
        _phrase("{change} {grade} {kind} atelectasis {where}."),
        _phrase("{kind} atelectasis is seen {where}."),
        _phrase("{grade} {kind} atelectasis is again noted {where}.", "persists"),
        _phrase("Volume loss with {grade} {kind} atelectasis {where}."),
        _phrase("{grade} bibasilar atelectasis with low lung volumes.", "bilateral lower"),
        _phrase("Bibasilar {kind} atelectasis is {changed}.", "bilateral lower persists"),
        _phrase("The {side} hemidiaphragm is elevated, with {grade} atelectasis {where}.", "onesided lower"),
        _phrase("Retrocardiac {kind} atelectasis is present.", "left lower"),
        _phrase("Linear opacities {where} are consistent with {grade} atelectasis.", Lung_Opacity=1),
    ),
    "cardiomegaly": (
        _phrase("The heart is {gradely} enlarged."),
        _phrase("There is {change} {grade} cardiomegaly."),
        _phrase("The cardiac silhouette is {gradely} enlarged."),
        _phrase("Heart size is {gradely} enlarged."),
        _phrase("{grade} enlargement of the cardiac silhouette."),
        _phrase("{grade} cardiomegaly is {changed}.", "persists"),
        _phrase("The heart remains {gradely} enlarged.", "persists"),
        _phrase("Portable view of the chest demonstrates {change} {grade} cardiomegaly.", "portable"),
        _phrase("The cardiac silhouette is mildly prominent.", "mild"),
        _phrase("Cardiomegaly with a prominent cardiac apex."),
    ),
    "consolidation": (
        _phrase("There is {change} {grade} consolidation {where}."),
        _phrase("{kind} consolidation {where}."),
        _phrase("{change} {kind} consolidation is seen {where}, with air bronchograms."),
        _phrase("An area of {kind} consolidation is present {where}."),
        _phrase("Retrocardiac {kind} consolidation is present.", "left lower"),
        _phrase("{kind} consolidation {where} has {evolved}.", "persists"),
        _phrase("The {kind} consolidation {where} is {changed}.", "persists"),
        _phrase("{grade} consolidation {where}, worrisome for pneumonia.", "severe", Pneumonia=-1),
        _phrase("Consolidative opacity {where} is {newly} seen.", Lung_Opacity=1),
        _phrase("A {grade} focus of {kind} consolidation {where}.", "focal"),
        _phrase("{change} {grade} {kind} consolidation {where}.", "focal"),
    ),
    "lesion": (
        _phrase("There is a {change} {grade} {kind} {where}.", "onesided"),
        _phrase("{change} {grade} {kind} {where}.", "onesided"),
        _phrase("A {grade} {kind} is seen {where}.", "onesided"),
        _phrase("A {grade} rounded {kind} {where} is {newly} seen.", "onesided"),
        _phrase("The {grade} {kind} {where} is {changed} in size.", "onesided persists"),
        _phrase("Well-defined {grade} {kind} {where}, possibly a neoplasm.", "onesided notmild"),
        _phrase("There are {change} {grade} nodules {where}.", "bilateral"),
        _phrase("{change} {grade} pulmonary nodules {where}.", "bilateral"),
        _phrase("{grade} pulmonary nodules {where} are {changed}.", "bilateral persists"),
    ),
    "edema": (
        _phrase("There is {change} {grade} {kind}."),
        _phrase("{change} {grade} {kind}."),
        _phrase("{grade} {kind} with perihilar haze and indistinct pulmonary vessels."),
        _phrase("Bilateral perihilar haziness and vascular indistinctness consistent with {grade} {kind}."),
        _phrase("Prominent vascular markings and Kerley B lines reflect {grade} interstitial edema."),
        _phrase("{grade} {kind} is {changed}.", "persists"),
        _phrase("Pulmonary vascular congestion with {grade} {kind}."),
        _phrase("{kind} has {evolved}.", "persists"),
        _phrase("Bilateral perihilar opacities are consistent with {grade} {kind}.", Lung_Opacity=1),
    ),
    "effusion": (
        _phrase("There is a {change} {grade} {side} pleural effusion.", "onesided"),
        _phrase("{change} {grade} {side} pleural effusion.", "onesided"),
        _phrase("A {grade} {side} pleural effusion is present.", "onesided"),
        _phrase("Blunting of the {side} costophrenic angle reflects a {grade} pleural effusion.", "onesided"),
        _phrase("A {grade} {side} pleural effusion obscures the {side} hemidiaphragm.", "onesided notmild"),
        _phrase("{grade} {side} subpulmonic pleural effusion.", "onesided mild"),
        _phrase("The {side} pleural effusion has {evolved}.", "onesided persists"),
        _phrase("{grade} {side} pleural effusion is {changed}.", "onesided persists"),
        _phrase("There are {change} {grade} bilateral pleural effusions.", "bilateral"),
        _phrase("{change} {grade} bilateral pleural effusions.", "bilateral"),
        _phrase("Both costophrenic angles are blunted by {grade} pleural effusions.", "bilateral"),
        _phrase("Bilateral pleural effusions have {evolved}.", "bilateral persists"),
    ),
    "pneumothorax": (
        _phrase("There is a {change} {grade} {side} apical pneumothorax.", "notsevere"),
        _phrase("{change} {grade} {side} pneumothorax."),
        _phrase("A {grade} {side} pneumothorax is seen, with a visible pleural line."),
        _phrase("A thin pleural line at the {side} apex indicates a {grade} pneumothorax.", "mild"),
        _phrase("The {side} pneumothorax has {evolved}.", "persists"),
        _phrase("{grade} {side} pneumothorax is {changed}.", "persists"),
        _phrase("Large {side} pneumothorax with partial collapse of the {side} lung.", "severe"),
    ),
}

CONCLUDED = {
    "atelectasis": (
        _phrase("{change} {grade} atelectasis {where}."),
        _phrase("{grade} {kind} atelectasis {where}."),
        _phrase("Atelectasis {where}."),
        _phrase("Bibasilar atelectasis.", "bilateral lower"),
    ),
    "cardiomegaly": (
        _phrase("{change} {grade} cardiomegaly."),
        _phrase("Cardiomegaly which is {changed}.", "persists"),
        _phrase("{grade} cardiomegaly."),
        _phrase("Enlarged heart."),
    ),
    "consolidation": (
        _phrase("{change} consolidation {where}."),
        _phrase("{kind} consolidation {where}."),
        _phrase("{kind} consolidation {where}, which may represent pneumonia.", "right", Pneumonia=-1),
        _phrase("Consolidation {where} has {evolved}.", "persists"),
        _phrase("{grade} {kind} consolidation {where}.", "focal"),
    ),
    "lesion": (
        _phrase("{change} {grade} {kind} {where}.", "onesided"),
        _phrase("{grade} {kind} {where}, for which chest CT is recommended.", "onesided"),
        _phrase("{kind} {where}, {changed} compared to the prior study.", "onesided persists"),
        _phrase("{change} {grade} pulmonary nodules {where}.", "bilateral"),
        _phrase("Multiple {grade} nodules {where}.", "bilateral"),
    ),
    "edema": (
        _phrase("{change} {grade} {kind}."),
        _phrase("{grade} {kind}."),
        _phrase("Findings consistent with {grade} {kind}."),
        _phrase("{kind} has {evolved}.", "persists"),
    ),
    "effusion": (
        _phrase("{change} {grade} {side} pleural effusion.", "onesided"),
        _phrase("{grade} {side} pleural effusion.", "onesided"),
        _phrase("{change} {grade} bilateral pleural effusions.", "bilateral"),
        _phrase("{grade} pleural effusions bilaterally.", "bilateral"),
    ),
    "pneumothorax": (
        _phrase("{change} {grade} {side} pneumothorax."),
        _phrase("{grade} {side} apical pneumothorax.", "notsevere"),
        _phrase("{side} pneumothorax, {changed} compared to the prior study.", "persists"),
    ),
}

HEDGED = {
    "atelectasis": (
        _phrase("Possible mild atelectasis {where}."),
        _phrase("Faint linear density {where} may represent atelectasis."),
        _phrase("Minimal basilar opacity, probably atelectasis.", "lower", Lung_Opacity=1),
    ),
    "cardiomegaly": (
        _phrase("Heart size is at the upper limits of normal."),
        _phrase("The cardiac silhouette is borderline enlarged."),
        _phrase("Possible mild cardiomegaly, accentuated by technique."),
    ),
    "consolidation": (
        _phrase("Developing consolidation {where} cannot be excluded."),
        _phrase("Subtle density {where} could represent early consolidation."),
        _phrase("Possible small consolidation {where}."),
    ),
    "lesion": (
        _phrase("Possible tiny nodule {where}.", "onesided"),
        _phrase("A tiny nodular density {where} may represent a nodule.", "onesided"),
        _phrase("A tiny nodule {where} is questioned.", "onesided"),
        _phrase("Possible tiny nodules {where}.", "bilateral"),
    ),
    "edema": (
        _phrase("Possible mild pulmonary edema."),
        _phrase("Mild interstitial edema cannot be excluded."),
        _phrase("Perihilar prominence may reflect minimal interstitial edema."),
    ),
    "effusion": (
        _phrase("A trace {side} pleural effusion cannot be excluded.", "onesided"),
        _phrase("Possible small {side} pleural effusion.", "onesided"),
        _phrase("Trace bilateral pleural effusions are suspected.", "bilateral"),
    ),
    "pneumothorax": (
        _phrase("A tiny {side} apical pneumothorax is questioned."),
        _phrase("Possible tiny {side} apical pneumothorax."),
    ),
}

RESOLVED = {
    "atelectasis": ("Previously seen atelectasis has resolved.", "The previous atelectasis has cleared."),
    "cardiomegaly": ("Heart size has returned to normal.", "The heart is no longer enlarged."),
    "consolidation": ("The previously noted consolidation has cleared.", "Prior consolidation has resolved."),
    "lesion": ("The previously seen nodule is no longer visible.", "Prior pulmonary nodule has resolved."),
    "edema": ("Pulmonary edema has resolved.", "The previously seen edema has cleared."),
    "effusion": ("Previously seen pleural effusion has resolved.", "No residual pleural effusion."),
    "pneumothorax": ("The prior pneumothorax has resolved.", "No residual pneumothorax."),
}

DENIED = {
    "consolidation": ("focal consolidation", "consolidation", "focal consolidation"),
    "effusion": ("pleural effusion", "pleural effusion", "large pleural effusion"),
    "pneumothorax": ("pneumothorax",),
    "edema": ("pulmonary edema", "overt pulmonary edema", "edema"),
    "atelectasis": ("atelectasis",),
    "lesion": ("pulmonary nodule", "suspicious nodule"),
}
DENIALS = (
    "No {list}.",
    "There is no {list}.",
    "No evidence of {list}.",
    "There is no evidence of {list}.",
    "No {list} is seen.",
    "No {list} is identified.",
    "Negative for {list}.",
)
