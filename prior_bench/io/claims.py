"""Claims: small files that say which process does a piece of work, so that no other does it as well.

A claim is made exclusively, which every file system does for all hosts that share it. Locks of files, in
contrast, are missing on some and hold on one host only on others. The price is that a killed process leaves
its claim. Such a claim is *stale*, and the next process that wants it takes it over:

- A process of the same machine is looked up by its number and start.
- Processes of other hosts are not seen from here. A claim's time of change is its heartbeat: its owner renews
  it every :data:`BEAT` seconds. After :data:`MISSED` seconds without one, the claim is stale if its job has
  ended or its host has been started again; otherwise after :data:`LIMIT` seconds.
- A job that Slurm has started again takes over the claims of its earlier start at once.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.escaping.signs import one_line
from prior_bench.io import heartbeat, processes, slurm
from prior_bench.io.bounded import is_own_file
from prior_bench.io.leftovers import UNFINISHED, sibling

BEAT = heartbeat.BEAT
MISSED = 3 * BEAT
"""Seconds without a heartbeat after which a claim is stale if something else tells of its owner's end."""
LIMIT = 15 * BEAT
"""Seconds without a heartbeat after which a claim of another host is stale."""
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EACCES, errno.EMLINK)
"""Error numbers of file systems without hard links."""
MOST = 4096
"""Bytes that are read of a claim."""
LONGEST = 64
"""Characters of a token, which becomes a part of a file's name."""


@dataclass(frozen=True)
class Owner:
    """The process that has a claim; without values if the claim cannot be read.

    Attributes:
        host, boot, machine: see :mod:`prior_bench.io.processes`.
        pid, started: the process's number, and when it started in ticks.
        job, restarts: Slurm's number of its job, and how often this was started again.
        token: that no other claim has.
    """

    host: str = ""
    boot: str = ""
    machine: str = ""
    pid: int = 0
    started: int | None = None
    job: str = ""
    restarts: int = 0
    token: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "an unknown process"
        job = f" (Slurm job {self.job})" if self.job else ""
        return one_line(f"process {self.pid} on {self.host}{job}")


class Claim:
    """A claim of this process; released at the end of a ``with`` block."""

    def __init__(self, path: Path, token: str):
        self.path, self.token = path, token

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def held(self) -> bool:
        """Whether it still is this process's: another host takes it over if it sees no heartbeat."""
        owner = read(self.path)
        return owner is not None and owner.token == self.token

    def release(self) -> None:
        """Give it back."""
        with suppress(OSError):
            if self.held():
                self.path.unlink()
        heartbeat.stop(self.token)


def take(path: Path) -> Claim | Owner:
    """Claim, or return the living process that has the claim. The folder must exist.

    Raises:
        OSError: the claim cannot be written.
        BenchError: a symbolic link or another special file is in its place.
    """
    while True:
        if claim := _made(path):
            return claim
        owner = read(path)
        if owner is not None and not is_stale(path, owner):
            return owner
        if owner is not None and not remove_stale(path, owner):
            return owner  # another process is removing it


def living(path: Path) -> Owner | None:
    """Return the living process that has a claim, if any."""
    owner = read(path)
    return None if owner is None or is_stale(path, owner) else owner


def read(path: Path) -> Owner | None:
    """Return the owner of a claim; None if there is no claim.

    Raises:
        BenchError: a symbolic link or another special file is in its place.
    """
    try:  # a pipe is not waited for
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ESTALE:  # removed by another host just now
            return None
        if path.is_symlink():
            raise BenchError("is a symbolic link", where=path, fix="delete it") from error
        if not is_own_file(path):  # a socket
            raise _special(path) from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _special(path)
    with open(handle, "rb") as file:
        try:
            return _owner(json.loads(file.read(MOST)))
        except (OSError, ValueError, RecursionError):
            return Owner()


def is_stale(path: Path, owner: Owner) -> bool:
    """Whether the owner of a claim has ended, as far as can be known; see above."""
    if owner.machine == processes.machine():
        if owner.pid == os.getpid() and owner.started == processes.started(owner.pid):
            return not heartbeat.beats(owner.token)  # it could not be removed
        alive = processes.is_alive(owner.pid, owner.started)
        if alive is not None:
            return not alive
    if owner.job and owner.job == slurm.job() and owner.restarts < slurm.restarts():
        return True
    silent = _silent(path)
    if silent is None:
        return False  # it is gone; whoever wants it looks again
    if silent < MISSED or silent >= LIMIT:
        return silent >= LIMIT
    started_again = owner.host == processes.host() and owner.boot != processes.boot()
    return started_again or bool(owner.job and slurm.has_ended(owner.job))


def remove_stale(path: Path, owner: Owner) -> bool:
    """Remove a stale claim; return False if another process is doing so.

    Two processes may have found the same claim stale. If each simply removed it, the second could remove the
    new claim of the first. So the removal itself is claimed, under a name that belongs to the stale claim.
    """
    removal = take(path.with_name(f".{path.name}.{owner.token or 'unreadable'}"))
    if isinstance(removal, Owner):
        return False
    with removal, suppress(FileNotFoundError):
        if read(path) == owner and is_stale(path, owner):
            path.unlink()
    return True


def sweep(folder: Path) -> None:
    """Remove the stale claims of a folder."""
    for path in sorted(folder.glob("*")):
        if path.suffix == UNFINISHED or not is_own_file(path):
            continue
        with suppress(PermissionError):  # another user's
            owner = read(path)
            if owner is not None and is_stale(path, owner):
                remove_stale(path, owner)


def _special(path: Path) -> BenchError:
    return BenchError("is no regular file, and in the place of a claim", where=path, fix="delete it")


def _made(path: Path) -> Claim | None:
    """Make a claim; None if there is one already."""
    if os.path.lexists(path):
        return None
    token, fresh = secrets.token_hex(8), sibling(path, UNFINISHED)
    content = json.dumps(asdict(_this_process(token))).encode()
    heartbeat.start(token, path)  # before others see the claim, as it would be stale without
    try:
        try:
            with open(fresh, "xb") as file:
                file.write(content)
            os.link(fresh, path)  # it appears with its content
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with suppress(FileExistsError), open(path, "xb") as file:
                file.write(content)
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
        claim = Claim(path, token)
        if claim.held():  # also if NFS repeats a request that succeeded, and says that there is one
            return claim
    except BaseException:
        heartbeat.stop(token)
        raise
    heartbeat.stop(token)
    return None


def _this_process(token: str) -> Owner:
    pid = os.getpid()
    return Owner(
        processes.host(),
        processes.boot(),
        processes.machine(),
        pid,
        processes.started(pid),
        slurm.job(),
        slurm.restarts(),
        token,
    )


def _owner(values: Any) -> Owner:
    """Return the owner that a claim states.

    Raises:
        ValueError: it states none.
    """
    kinds: dict[str, type] = {field.name: str for field in fields(Owner)}
    kinds |= {"pid": int, "started": int, "restarts": int}
    if not isinstance(values, dict):
        raise ValueError("no claim")
    values = {name: value for name, value in values.items() if name in kinds}
    wrong = [n for n, v in values.items() if type(v) is not kinds[n] and not (n == "started" and v is None)]
    token = values.get("token", "")
    sound = token.isascii() and token.isalnum() and len(token) <= LONGEST if not wrong else False
    if not sound or values.get("pid", 0) <= 0:
        raise ValueError("no claim")
    return Owner(**values)


def _silent(path: Path) -> float | None:
    """Return the seconds since the last heartbeat by the clock of the file system; None if the claim is gone.

    A heartbeat in the future, which a clock that was wrong has left, is as far away as one in the past.
    """
    probe = sibling(path, UNFINISHED)
    try:
        with open(probe, "xb") as file:
            now = os.fstat(file.fileno()).st_mtime
        return abs(now - os.stat(path).st_mtime)
    except FileNotFoundError:
        return None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
