"""Check what the pickle of a torch file calls, before it is unpickled and without calling anything.

``torch.load`` calls the functions and types on its list with whatever arguments a file gives. Some copy what
they are given, take memory for a number, or set attributes: a few kilobytes can ask for any amount of memory,
or give a tensor another ``numel``. Here, the operations of the pickle are followed with stand-ins.
"""

from __future__ import annotations

import _compat_pickle
import pickletools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import torch

from prior_bench.checkpoints.inert import ALLOWED_DICTS, is_allowed
from prior_bench.errors import BenchError

MOST_OPERATIONS = 2_000_000
"""Operations of a pickle; a tensor takes thirty."""
DEEPEST = 100
"""Tuples inside each other; they are hashed and shown by recursion."""
COPIES = ("collections.OrderedDict", "collections.Counter", "builtins.set", "torch.Size")
"""Types that copy their argument."""
ENCODE, ENCODINGS = "_codecs.encode", ("latin1", "latin-1")
"""The function that makes bytes, and what pickle gives it as their encoding."""
OF_TYPE = "torch._tensor._rebuild_from_type_v2"
"""Makes a tensor with attributes, by another function."""
REBUILDS = "torch._utils._rebuild_"
NAMED = {OF_TYPE: 3, "torch._utils._rebuild_parameter_with_state": 3}
"""Functions that set attributes, and the place of the argument that names them."""
HARMLESS = ("torch.Size", "torch.device", "torch.serialization._get_layout", "torch.nn.parameter.Parameter")
"""What else of torch may be called; tensors and storages take memory for a number."""
COPIED = "a part that is copied many times"


@dataclass(slots=True)
class _Value:
    """What is known of an object.

    Attributes:
        kind: ``tuple``, ``list``, ``dict``, ``text``, ``name``, ``made`` (by a call) or ``other``.
        text: the text, the name, or the name of what made it.
        items: of a tuple or a list; of a dict its keys.
        depth: tuples inside each other.
    """

    kind: str
    text: str = ""
    items: list[_Value] = field(default_factory=list)
    depth: int = 0


OTHER = _Value("other")
"""A number or a constant."""


class _Refused(Exception):
    """A pickle does what no file of weights needs."""


def check_calls(file: IO[bytes], path: Path) -> set[str]:
    """Check a pickle from where a file is read, to the pickle's end; return all names in it, with dots.

    Raises:
        BenchError: it has too many operations, or calls something otherwise than torch.save writes it.
        Exception: it is damaged.
    """
    followed = _Followed()
    try:
        begin = file.tell()
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count > MOST_OPERATIONS:
                raise _Refused(f"more than {MOST_OPERATIONS:,} operations")
            followed.do(operation.name, argument)
        if followed.letters > file.tell() - begin:
            raise _Refused(COPIED)
    except _Refused as why:
        what = f"contains more than tensors and plain data, and is not opened: {why}"
        raise BenchError(what, where=path, fix="save its state dict alone") from None
    return followed.names


class _Followed:
    """Follows the operations of a pickle; torch itself refuses those that it does not know.

    Attributes:
        names: all names so far.
        copied, letters: items of lists, and letters of texts, that calls have copied.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.copied = self.letters = 0
        self._stack: list[_Value] = []
        self._below: list[list[_Value]] = []
        self._memo: dict[int, _Value] = {}

    def do(self, operation: str, argument: Any) -> None:
        """Follow one operation."""
        stack = self._stack
        match operation:
            case "GLOBAL":
                stack.append(_Value("name", _dotted(argument)))
                self.names.add(stack[-1].text)
            case "BINUNICODE" | "SHORT_BINSTRING":
                stack.append(_Value("text", argument))
            case "MARK":
                self._below.append(stack)
                self._stack = []
            case "TUPLE":
                items = self._to_mark()
                self._stack.append(_tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(operation[-1])
                stack[-count:] = [_tuple(stack[-count:])]
            case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT" | "EMPTY_SET":
                stack.append(_Value(operation.removeprefix("EMPTY_").lower()))
            case "APPEND":
                self._add([stack.pop()])
            case "SETITEM":
                stack.pop()
                self._add([stack.pop()])
            case "APPENDS":
                self._add(self._to_mark())
            case "SETITEMS":
                self._add(self._to_mark()[::2])
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "REDUCE" | "NEWOBJ":
                given = stack.pop()
                stack[-1] = self._call(stack[-1], given)
            case "BUILD":
                state, target = stack.pop(), stack[-1]
                if target.text in COPIES or target.text in ALLOWED_DICTS:
                    _check_names(state, OrderedDict)
            case "BINPERSID":
                stack[-1] = OTHER
            case "PROTO" | "STOP":
                pass
            case _:
                stack.append(OTHER)

    def _to_mark(self) -> list[_Value]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _add(self, items: list[_Value]) -> None:
        target = self._stack[-1]
        target.items += items
        target.depth = max([target.depth, *(item.depth for item in items)])

    def _call(self, called: _Value, given: _Value) -> _Value:
        """Check a call, and return what it makes."""
        name, arguments = called.text, given.items
        if called.kind != "name" or given.kind != "tuple":
            raise _Refused("a call that pickle does not write")
        made = _Value("made", name, depth=given.depth)
        if name in COPIES:
            for one in arguments:
                if one.kind not in ("tuple", "list", "dict", "set") and one.text not in COPIES:
                    raise _Refused(f"{name} of what is no list")
                self.copied += len(one.items)
                if self.copied > MOST_OPERATIONS:
                    raise _Refused(COPIED)
                made.items += _keys(one)
        elif name == ENCODE:
            if [one.kind for one in arguments] != ["text", "text"] or arguments[1].text not in ENCODINGS:
                raise _Refused("bytes in another encoding than pickle's")
            self.letters += len(arguments[0].text)
        elif name == OF_TYPE:
            if len(arguments) != 4 or not arguments[0].text.startswith(REBUILDS):
                raise _Refused("an object with attributes that is no tensor")
            self._call(arguments[0], arguments[2])
        elif name.startswith("torch.") and not (
            name.startswith(REBUILDS) or name in HARMLESS or is_allowed(name)
        ):
            raise _Refused(name)
        if len(arguments) > NAMED.get(name, len(arguments)):
            _check_names(arguments[NAMED[name]], torch.Tensor)
        return made


def _check_names(state: _Value, kind: type) -> None:
    """Refuse attributes that hide those which objects of a kind have."""
    for part in state.items if state.kind == "tuple" else [state]:
        for key in _keys(part):
            if key.kind != "text" or hasattr(kind, key.text):
                raise _Refused(f"an object whose attribute {key.text or key.kind} is set")


def _keys(value: _Value) -> Iterable[_Value]:
    """Return the keys of a dict, also of one that is made of pairs."""
    if value.kind in ("tuple", "list"):
        return [one.items[0] for one in value.items if one.kind in ("tuple", "list") and one.items]
    return value.items


def _tuple(items: list[_Value]) -> _Value:
    depth = 1 + max((item.depth for item in items), default=0)
    if depth > DEEPEST:
        raise _Refused(f"more than {DEEPEST} tuples inside each other")
    return _Value("tuple", items=items, depth=depth)


def _dotted(argument: str) -> str:
    """Return a name as torch reads it; Python 2 had others."""
    module, _, name = argument.partition(" ")
    if (module, name) in _compat_pickle.NAME_MAPPING:
        module, name = _compat_pickle.NAME_MAPPING[module, name]
    else:
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    return f"{module}.{name}"
