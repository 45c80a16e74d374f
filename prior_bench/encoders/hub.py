"""Load models from the Hugging Face hub, and fail quickly and clearly if it cannot be reached."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import urllib.request
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prior_bench.errors import BenchError, NotThereError
from prior_bench.io.digest import require_seals
from prior_bench.model_folders.checked import checked_folder
from prior_bench.offline import VARIABLE, is_offline

_forbidden: ContextVar[bool] = ContextVar("forbidden", default=False)


@contextlib.contextmanager
def without_hub() -> Iterator[None]:
    """Within the block, :func:`require_hub` refuses: what is looked up is named by somebody else's file."""
    token = _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.reset(token)


def require_hub(what: str, *, where: object, fix: str) -> None:
    """Check that the Hugging Face hub can be reached, within seconds; its own client needs most of a minute.

    Args:
        what: description of the wanted object, for the message.
        where: config key or name, for the message.
        fix: how to work without the hub.

    Raises:
        NotThereError: the hub cannot be reached, or ``PRIOR_BENCH_OFFLINE`` or ``HF_HUB_OFFLINE`` is set.
    """
    told = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    offline = VARIABLE if is_offline() else "HF_HUB_OFFLINE" if told else ""
    if _forbidden.get():
        raise NotThereError(
            f"{what} is not in the local cache, and nothing is fetched because a file names it",
            where=where,
            fix=fix,
        )
    if not offline and urllib.request.getproxies():
        return  # only a real request shows whether the proxy allows it
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        if offline:
            raise OSError(f"{offline} is set")
        port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
        socket.create_connection((endpoint.hostname, port), timeout=5).close()
    except OSError as error:
        raise NotThereError(
            f"{what} is not in the local cache and {endpoint.hostname} cannot be reached ({error})",
            where=where,
            fix=fix,
        ) from error


def is_cached(name: str, files: Iterable[str]) -> bool:
    """Return whether the cache has one of these files of a name on the hub."""
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(name, file), str) for file in files)


def cached_folder(name: str, file: str) -> Path | None:
    """Return the folder of the cache that has a file of a name on the hub, or None."""
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, file)
    except ValueError:  # no name that the hub could have
        return None
    return Path(found).parent if isinstance(found, str) else None


def load_from_hub(factory: Any, name: str, what: str, **options: Any) -> Any:
    """Call ``factory.from_pretrained(name)`` with a folder, the local cache or the hub, without remote code.

    A folder is checked first: it may be one of the working folder that has the name of a model of the hub.

    Args:
        factory: an ``Auto…`` class of transformers.
        name: hub name or local folder.
        what: description for the message, e.g. ``"the tokenizer of"``.
        options: further arguments of ``from_pretrained``.

    Raises:
        BenchError: the object cannot be obtained; the message says how to work without the hub.
    """
    fix = (
        f"on a machine with network: hf download {name} --local-dir {Path(name).name}; copy the folder "
        f"here and set text_encoder.name to its path; or use text_encoder.config for a small new model"
    )
    if not Path(name).is_dir():
        try:
            return factory.from_pretrained(name, local_files_only=True, trust_remote_code=False, **options)
        except (OSError, ValueError):
            require_hub(f"{what} '{name}'", where="text_encoder.name", fix=fix)
    try:
        if Path(name).is_dir():
            require_seals(checked_folder(Path(name)))
        return factory.from_pretrained(name, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise BenchError(
            f"{what} '{name}' cannot be obtained: {str(error).splitlines()[0]}",
            where="text_encoder.name",
            fix=fix,
        ) from error


@contextlib.contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Show only errors of these loggers within the block."""
    before = {name: logging.getLogger(name).level for name in loggers}
    try:
        for name in loggers:
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def no_questions() -> Iterator[None]:
    """Within the block, transformers refuses a folder's own code instead of asking whether to run it."""
    from transformers import dynamic_module_utils as library

    before = library.TIME_OUT_REMOTE_CODE
    library.TIME_OUT_REMOTE_CODE = 0
    try:
        yield
    finally:
        library.TIME_OUT_REMOTE_CODE = before


@contextlib.contextmanager
def no_progress_bar() -> Iterator[None]:
    """Hide the progress bar of transformers, which loads a folder within a second, within the block."""
    from transformers.utils import logging as library

    shown = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.enable_progress_bar()
