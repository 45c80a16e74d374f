"""The explanation of a backbone on a data set: details for a few images, and measures over many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from prior_bench.api import Backbone, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.explain.attention import Attention
from prior_bench.explain.collect import Explained, explain_images, grey
from prior_bench.explain.contract import PrototypeUse, explainer_of
from prior_bench.explain.inputs import has_report, training_reports, with_report
from prior_bench.explain.localisation import localisation
from prior_bench.explain.measure import Measure, image_l1, in_words, mean_image, measure
from prior_bench.explain.partners import PartnerLoss, partner_losses
from prior_bench.features.extract import evaluating
from prior_bench.io.plain import plain
from prior_bench.pictures.choice import spread

TOP_PROTOTYPES = 12
"""Number of most used prototypes that are shown."""

ABSENT = {
    "attention": "Attention over the image is not shown: the method has none, or its local features have "
    "no position in the image.",
    "reconstruction": "Reconstructed images are not shown: the method, as trained, reconstructs none.",
    "written": "Written sentences are not shown: the method, as trained, writes none.",
    "prototypes": "Sentence prototypes are not shown: the method, as trained, has none that can be shown.",
}
"""Line for each part that a method lacks."""


@dataclass
class Explanation:
    """The content of an explanation.

    Attributes:
        backbone: the explained backbone.
        data: name of the data set.
        synthetic: whether the data set was generated.
        split: split of the measures.
        shown: images with all details.
        measures: measures over many images; empty if the method reconstructs nothing.
        places: measures of where the maps of phrases are high; empty without phrases or maps.
        partners: loss terms with right and with wrong partners.
        prototypes: use of the prototypes by the training reports, or None.
        mean: the mean training image in the scale of the input, [1, 1, S, S], or None.
    """

    backbone: Backbone
    data: str
    synthetic: bool
    split: str
    shown: list[Explained]
    measures: list[Measure] = field(default_factory=list)
    places: list[Measure] = field(default_factory=list)
    partners: list[PartnerLoss] = field(default_factory=list)
    prototypes: PrototypeUse | None = None
    mean: Tensor | None = None

    def absent(self) -> list[str]:
        """Return a line for each part that the method lacks."""
        has = {
            "attention": any(one.attention is not None for one in self.shown),
            "reconstruction": any(one.reconstructed for one in self.shown),
            "written": any(one.written is not None for one in self.shown),
            "prototypes": self.prototypes is not None,
        }
        return [line for part, line in ABSENT.items() if not has[part]]

    def mean_picture(self) -> np.ndarray | None:
        """Return the mean training image, uint8 [S, S]."""
        return None if self.mean is None else grey(self.mean, self.backbone.input)

    def errors(self, one: Explained) -> dict[str, float]:
        """Compute the L1 of an image's reconstructions and of the mean image, in grey levels of 255."""
        std = self.backbone.input.stds[0]
        found = {r.source: float(image_l1(r.tensor, one.fed, std)[0]) for r in one.reconstructed}
        if found and self.mean is not None:
            found["mean training image"] = float(image_l1(self.mean, one.fed, std)[0])
        return found

    def lines(self) -> list[str]:
        """Return the measures as lines of text for the terminal."""
        said = [f"{self.backbone.name} on {self.data}{' [synthetic data]' if self.synthetic else ''}"]
        for m in self.measures + self.places:
            said.append(
                f"  {m.name}: {m.value:.4g}; chance ({m.chance_name}) {m.chance:.4g}; "
                f"gain {m.gain:.4g} (95 % {in_words(m.gain_interval)}) over {m.images} {m.of}: {m.verdict}"
            )
        for p in self.partners:
            said.append(
                f"  loss {p.term}: {p.own:.4g} with the own image, {p.other:.4g} with another patient's; "
                f"rise {p.rise:.4g} (95 % {in_words(p.rise_interval)}): {p.verdict}"
            )
        if (use := self.prototypes) is not None:
            said.append(
                f"  prototypes in use: perplexity {use.perplexity:.1f} of {use.count} "
                f"({100 * use.perplexity / use.count:.1f} %) over {use.sentences} sentences"
            )
        return said + [f"  {line}" for line in self.absent()]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types for JSON; undefined values are None."""
        use = self.prototypes
        values = {
            "backbone": {
                "name": self.backbone.name,
                "identity": self.backbone.identity,
                **self.backbone.provenance,
            },
            "data": {"name": self.data, "synthetic": self.synthetic, "split": self.split},
            "measures": [{**asdict(m), "verdict": m.verdict} for m in self.measures],
            "localisation": [{**asdict(m), "verdict": m.verdict} for m in self.places],
            "partners": [{**asdict(p), "verdict": p.verdict} for p in self.partners],
            "prototypes": use and {**asdict(use), "perplexity_share": use.perplexity / use.count},
            "images": [self._image(one) for one in self.shown],
            "absent": self.absent(),
        }
        return plain(values)

    def _image(self, one: Explained) -> dict[str, Any]:
        return {
            "id": one.id,
            "report": one.report,
            "written": one.written,
            "image_l1": self.errors(one),
            "attention": None if one.attention is None else [_rounded(a) for a in one.attention],
        }


def explain(
    backbone: Backbone,
    manifest: Manifest,
    context: RunContext,
    *,
    split: str = "test",
    ids: Sequence[str] = (),
    count: int = 4,
    measured: int = 200,
    phrases: Manifest | None = None,
) -> Explanation:
    """Explain a backbone on a data set with reports.

    Args:
        backbone: backbone with a text encoder.
        manifest: the data set.
        split: split of the measures and, if ``ids`` is empty, of the images.
        ids: ids of the samples to show, from any split.
        count: number of evenly spaced samples to show without ``ids``; at least 1.
        measured: largest number of images for the measures; at least 1.
        phrases: a data set whose phrases have regions, to measure localisation; by default ``manifest``, if
            it has some.

    Raises:
        BenchError: the backbone has no text encoder, the split has no reports, or a sample is unknown or has
            no report.
    """
    backbone.require_network("an explanation")
    if backbone.method is None:
        fix = "use a checkpoint written by prior-bench pretrain, or a pre-training config"
        raise BenchError("has no text encoder, which explanations need", where=backbone.name, fix=fix)
    pool = with_report(manifest, split)
    if not len(pool):
        fix = "use another --split, --rule or data set (prior-bench data describe NAME)"
        raise BenchError(f"the {split} split has no report", where=manifest.name, fix=fix)
    chosen = _named(manifest, ids) if ids else pool.select(np.array(spread(range(len(pool)), count)))
    reports = training_reports(manifest)
    explainer = explainer_of(backbone, reports)
    shown = explain_images(backbone, explainer, chosen, context)
    found = Explanation(backbone, manifest.name, manifest.synthetic, split, shown)
    found.partners = partner_losses(backbone, pool, context, measured)
    if phrases is not None or pool.has("phrases"):
        found.places = localisation(backbone, phrases or manifest, split, context, measured)
    if explainer is None:
        return found
    if any(one.reconstructed for one in shown):
        found.mean = mean_image(backbone, manifest, context)
    some = pool.select(np.array(spread(range(len(pool)), measured)))
    found.measures = measure(backbone, explainer, some, found.mean, context)
    method = backbone.text_method
    with evaluating(method, context.device):
        found.prototypes = explainer.prototypes(TOP_PROTOTYPES)
    return found


def _named(manifest: Manifest, ids: Sequence[str]) -> Manifest:
    rows = {str(sample): n for n, sample in enumerate(manifest.table["id"])}
    told = has_report(manifest)
    for sample in ids:
        if sample not in rows:
            fix = f"use an id of the data set, such as {', '.join(list(rows)[:3])}"
            raise BenchError(f"unknown sample '{sample}'", where=manifest.name, fix=fix)
        if not told[rows[sample]]:
            raise BenchError(
                f"the sample '{sample}' has no report", where=manifest.name, fix="choose another sample"
            )
    return manifest.select(np.array([rows[sample] for sample in ids]))


def _rounded(attention: Attention) -> dict[str, Any]:
    values = {"text": attention.text, "grid": np.round(attention.grid.astype(float), 5)}
    return values | ({"words": [_rounded(word) for word in attention.words]} if attention.words else {})
