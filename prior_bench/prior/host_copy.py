"""The value of a scalar buffer on the host, read again only when the buffer has changed."""

from __future__ import annotations

from torch import Tensor


class HostCopy:
    """The value of an integer buffer, for which the host waits once and not at each use.

    torch counts the changes of a tensor on the host (``_version``): ``fill_``, ``copy_`` and loading a state
    dict raise the count, and moving to a device makes another tensor.
    """

    def __init__(self) -> None:
        self._read: tuple[Tensor, int, int] | None = None

    def fill(self, buffer: Tensor, value: int) -> None:
        """Set a scalar tensor, and know its value."""
        buffer.fill_(value)
        self._read = (buffer, buffer._version, value)

    def of(self, buffer: Tensor) -> int:
        """Return the value of a scalar tensor of integers."""
        known = self._read
        if known is None or known[0] is not buffer or known[1] != buffer._version:
            self._read = known = (buffer, buffer._version, int(buffer))
        return known[2]

    def __deepcopy__(self, memo: dict) -> HostCopy:
        return HostCopy()

    def __getstate__(self) -> dict:
        return {"_read": None}
