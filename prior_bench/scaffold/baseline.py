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
from prior_bench.registry import METHODS

TEMPLATES = Path(__file__).parent / "templates"
START = "convirt_sample"
"""The config that a new one starts from."""


@dataclass(frozen=True)
class NewBaseline:
    """What is to be written.

    Attributes:
        type: the method's name in configs, ``module:Class``.
        config: argument of ``prior-bench pretrain``.
        method_file, config_file, test_file: where they go.
        texts: contents, by file.
    """

    type: str
    config: str
    method_file: Path
    config_file: Path
    test_file: Path
    texts: dict[Path, str]


def is_checkout(folder: Path) -> bool:
    """Whether a folder is a checkout of this project, as told by its ``pyproject.toml``."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return False
    return project == "prior-bench"


def plan(name: str, folder: Path) -> NewBaseline:
    """What to write for a method ``name``: among the baselines of a checkout, or else flat into a folder.

    Raises:
        BenchError: the name cannot be used, or the folder is not there.
        ErrorList: files that would be overwritten.
    """
    if not folder.is_dir():
        raise BenchError("no such folder", where=folder, fix="make it, or name another with --dir")
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
    there = [BenchError("is there already", where=file) for file in files if file.exists()]
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
    """Raise BenchError where a method cannot be called ``name``.

    Args:
        inside: whether its module goes among the baselines rather than stand alone.
    """
    fix = "choose lower-case letters, digits and underscores, e.g. my_method"
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise BenchError(f"'{name}' cannot name a method", where="NAME", fix=fix)
    if not name[0].isalpha():
        raise BenchError(f"'{name}' does not start with a letter", where="NAME", fix=fix)
    if name in METHODS.names():
        raise BenchError(
            f"a method '{name}' is there already", where=METHODS.source(name), fix="another name"
        )
    if not inside and (spec := find_spec(name)) is not None:
        raise BenchError(f"a module '{name}' is there already", where=spec.origin or name, fix="another name")


def write(plan: NewBaseline) -> None:
    """Write all files, or none.

    Raises:
        BenchError: a file cannot be written.
    """
    write_new_texts(plan.texts)


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.tmpl").read_text("utf-8")).substitute(words)


def _whole_config(words: dict[str, str]) -> str:
    """A config that does without ``_base_``, which would have to name a place inside the installation."""
    docstring = _filled("config.py", words).split("_base_")[0]
    body = paths.find_config(START, "pretrain").read_text("utf-8").split('"""\n', 1)[1].lstrip("\n")
    return docstring + body.replace('type="convirt"', f'type="{words["type"]}"', 1)
