"""Call the command line as a user does, and check what holds whatever is called."""

import io
import sys
from unittest.mock import patch

from hostile_text import wrong_on_terminal

from prior_bench.cli import main


def called(*arguments: object) -> tuple[int, str, str]:
    """Call the command line in this process; return its status and what it says on both outputs.

    Raises:
        AssertionError: there is a traceback, a fault of ours, no message, or a text that acts on a terminal.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "replace", newline="") for _ in range(2))
    with patch.object(sys, "stdout", out), patch.object(sys, "stderr", err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:
            status = int(error.code or 0)
        out.flush(), err.flush()
        said, complained = (stream.buffer.getvalue().decode() for stream in (out, err))
    shown = " ".join(map(str, arguments[:3]))
    assert status in (0, 1, 2), f"{shown}: {complained}"
    assert "Traceback (most" not in said + complained, f"{shown}: {complained}"
    assert "internal fault" not in complained, f"{shown}: {complained}"
    assert status == 0 or "error" in complained or said, f"{shown}: status {status} without a word"
    for text in (said, complained):
        wrong = wrong_on_terminal(text)
        assert not wrong, f"{shown}: {wrong}"
    return status, said, complained
