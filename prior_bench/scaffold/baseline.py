"""Write the files of a new method: the class, a config for the sample benchmark, and a test."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from string import Template

from prior_bench import paths
from prior_bench.errors import BenchError, ErrorList
from prior_bench.io.atomic import write_new_texts
from prior_bench.io.bounded import MIB, json_text
from prior_bench.registry import METHODS

TEMPLATES = Path(__file__).parent / "templates"
START = "convirt_sample"
"""Name of the config from which a new one is made."""


@dataclass(frozen=True)
class NewBaseline:
    """The files to write.

    Attributes:
        type: name of the method in configs, ``module:Class``.
        config: argument for ``prior-bench pretrain``.
        method_file, config_file, test_file: paths of the files.
        texts: contents by file.
    """

    type: str
    config: str
    method_file: Path
    config_file: Path
    test_file: Path
    texts: dict[Path, str]


def is_checkout(folder: Path) -> bool:
    """Whether a folder is a checkout of this project, according to its ``pyproject.toml``."""
    try:
        found = tomllib.loads(json_text(folder / "pyproject.toml", MIB))
    except (BenchError, OSError, ValueError, RecursionError):  # the folder may be somebody else's
        return False
    project = found.get("project")
    return isinstance(project, dict) and project.get("name") == "prior-bench"


def plan(name: str, folder: Path) -> NewBaseline:
    """Plan the files of a method ``name``: in a checkout among its baselines, otherwise directly in the
    folder.

    Raises:
        BenchError: the name cannot be used, or the folder does not exist.
        ErrorList: files would be overwritten.
    """
    if not folder.is_dir():
        raise BenchError("no such folder", where=folder, fix="make it, or give another folder with --dir")
    inside = is_checkout(folder)
    check_name(name, inside)
    class_name = "".join(part[:1].upper() + part[1:] for part in name.split("_") if part)
    if inside:
        module, config = f"baselines.{name}", f"{name}_sample"
        files = (
            folder / "baselines" / f"{name}.py",
            folder / "configs" / "pretrain" / f"{config}.py",
            folder / "tests" / f"test_{name}.py",
        )
    else:
        module, config = name, f"{name}_sample.py"
        files = folder / f"{name}.py", folder / config, folder / f"test_{name}.py"
    there = [BenchError("already exists", where=file) for file in files if file.exists()]
    if there:
        raise ErrorList("nothing was written:", there)
    words = {"class_name": class_name, "type": f"{module}:{class_name}", "config": config}
    texts = {
        files[0]: _filled("method.py", words),
        files[1]: _filled("config.py", words) if inside else _whole_config(words),
        files[2]: _filled("test.py", words),
    }
    return NewBaseline(words["type"], config, *files, texts)


def check_name(name: str, inside: bool) -> None:
    """Raise BenchError if a method cannot be called ``name``.

    Args:
        name: name of the method.
        inside: whether its module is in ``baselines/`` rather than a file of its own.
    """
    fix = "choose lower-case letters, digits and underscores, e.g. my_method"
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise BenchError(f"'{name}' cannot be the name of a method", where="NAME", fix=fix)
    if not name[0].isalpha():
        raise BenchError(f"'{name}' does not start with a letter", where="NAME", fix=fix)
    if name in METHODS.names():
        raise BenchError(
            f"a method '{name}' already exists", where=METHODS.source(name), fix="choose another name"
        )
    if not inside and (spec := find_spec(name)) is not None:
        raise BenchError(
            f"a module '{name}' already exists", where=spec.origin or name, fix="choose another name"
        )


def write(plan: NewBaseline) -> None:
    """Write all files or none.

    Raises:
        BenchError: a file cannot be written.
    """
    write_new_texts(plan.texts)


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.tmpl").read_text("utf-8")).substitute(words)


def _whole_config(words: dict[str, str]) -> str:
    """Make a config without ``_base_``, which would be a path in the installation."""
    docstring = _filled("config.py", words).split("_base_")[0]
    body = paths.find_config(START, "pretrain").read_text("utf-8").split('"""\n', 1)[1].lstrip("\n")
    return docstring + body.replace('type="convirt"', f'type="{words["type"]}"', 1)
