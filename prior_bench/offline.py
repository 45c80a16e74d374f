"""``PRIOR_BENCH_OFFLINE``: a process that contacts no other machine, whatever a library wants.

The variable is read when the package is imported, before any library that could download. It sets the offline
modes of the Hugging Face libraries, and refuses every connection that Python opens to another machine:
open_clip and timm also download by plain addresses. Torch's processes on several machines, which connect
outside Python, are not concerned.
"""

from __future__ import annotations

import os
import sys
from typing import Any

VARIABLE = "PRIOR_BENCH_OFFLINE"
LIBRARIES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
"""Variables by which libraries are told to be offline."""
OFF = ("", "0", "no", "off", "false")
"""Values that mean that the variable is not set."""
HERE = ("localhost", "127.", "::1", "0.0.0.0")
"""What names and addresses of this machine begin with."""


def is_offline() -> bool:
    """Whether ``PRIOR_BENCH_OFFLINE`` is set."""
    return os.environ.get(VARIABLE, "").lower() not in OFF


def stay_offline() -> None:
    """Let this process, and those that it starts, contact no other machine, if the variable is set."""
    if not is_offline():
        return
    for name in LIBRARIES:
        os.environ[name] = "1"
    sys.addaudithook(_refuse)  # cannot be removed; it asks the variable each time


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise OSError where Python is about to look up or contact another machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.gethostbyname"):
        address = arguments[-1]
        if isinstance(address, (str, bytes)) and event != "socket.gethostbyname":
            return  # a socket file on this machine
        host = address[0] if isinstance(address, tuple) else address
    else:
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name and not str(name).startswith(HERE) and is_offline():
        raise OSError(f"{VARIABLE} is set, and {name} is another machine")
