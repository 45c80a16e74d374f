"""The error type for users: what is wrong, where, and how to fix it."""


class BenchError(Exception):
    """A problem with the user's input (file, name, column, checkpoint), not with our code.

    The command line prints it as one message, without a traceback, and exits with status 1.

    Args:
        what: one sentence that says what is wrong.
        where: file, config key or name of the problem.
        fix: what the user can do about it.
    """

    def __init__(self, what: str, *, where: object = None, fix: str = ""):
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where is not None else ""
        remedy = f"\n  fix: {self.fix}" if self.fix else ""
        return f"{place}{self.what}{remedy}"


class NotThereError(BenchError):
    """Weights that must be obtained first: a file, or a name on a hub that cannot be reached.

    A dry run states it as the reason of a row's cells.
    """


class NotGeneratedError(BenchError):
    """Data that a generator would make first, where nothing may be generated."""


class StorageError(BenchError):
    """A file of ours that cannot be written: the disk is full, or the place may not be written to.

    It says nothing about the run that wanted to write it, which counts as not done.
    """


class ErrorList(BenchError):
    """Several independent problems that are reported together, so that the user can fix them in one edit."""

    def __init__(self, what: str, errors: list[BenchError], *, where: object = None):
        self.errors = errors
        lines = "".join(f"\n- {error}" for error in errors)
        super().__init__(f"{what}{lines}", where=where)


class Requeued(KeyboardInterrupt):
    """Raised on SIGUSR2, by which schedulers announce the end of a job, once a training's state is saved.

    The same command goes on from there; the command line ends with a status that says so.
    """


def unknown_name(kind: str, name: str, known: list[str], *, where: object = None) -> BenchError:
    """Return an error for an unknown name that suggests the most similar known names."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    fix = f"did you mean {' or '.join(near)}?" if near else ""
    return BenchError(
        f"unknown {kind} '{name}'",
        where=where,
        fix=f"{fix} known: {', '.join(sorted(known)) or 'none'}".strip(),
    )
