"""Write constraints-hashes.txt: constraints.txt with the SHA-256 of the wheels of every supported Python.

pip says which wheels it would install (``--report``); nothing is installed. Only names, versions and hashes
are written, no address. The file is for the machine's own platform (Linux x86_64 in the repository):

    python .ci/lock_hashes.py        (or: make hashes)
    pip install --require-hashes -r constraints-hashes.txt
    pip install --no-deps --no-build-isolation -e .

Editable and local installs cannot be hashed (pip refuses them under --require-hashes), hence the last line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
HEADER = """\
# constraints.txt with SHA-256 hashes of the wheels for Linux x86_64 and Python 3.11, 3.12 and 3.13. Do not
# edit: `make hashes` writes it. Install with: pip install --require-hashes -r constraints-hashes.txt
"""


def main() -> None:
    """Ask pip for each Python, and write the file."""
    text = locked([report(python) for python in PYTHONS])
    (ROOT / "constraints-hashes.txt").write_text(text)
    print(f"wrote constraints-hashes.txt: {text.count('==')} packages")


def locked(reports: list[dict]) -> str:
    """Return the lines of the file for some reports of pip."""
    versions: dict[str, set[str]] = {}
    hashes: dict[str, set[str]] = {}
    for found in reports:
        for entry in found["install"]:
            name = re.sub(r"[-_.]+", "-", entry["metadata"]["name"]).lower()
            versions.setdefault(name, set()).add(entry["metadata"]["version"])
            hashes.setdefault(name, set()).add(entry["download_info"]["archive_info"]["hashes"]["sha256"])
    if several := {name: v for name, v in versions.items() if len(v) > 1}:
        sys.exit(f"error: more than one version: {several}; state them in constraints.txt")
    lines = [
        " \\\n    ".join(
            [f"{name}=={versions[name].pop()}", *(f"--hash=sha256:{h}" for h in sorted(hashes[name]))]
        )
        for name in sorted(versions)
    ]
    return "\n".join([HEADER.rstrip(), *lines, ""])


def report(python: str) -> dict:
    """Return pip's report on the wheels of one version of Python."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
            "--quiet",
        ]
        command += ["--python-version", python, "--only-binary", ":all:", "--target", scratch]
        command += ["--report", f"{scratch}/report.json", "-r", str(ROOT / "constraints.txt")]
        subprocess.run(command, check=True)
        return json.loads(Path(scratch, "report.json").read_text())


if __name__ == "__main__":
    main()
