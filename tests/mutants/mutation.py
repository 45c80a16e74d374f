"""Mutants of a module: one small change each, made by cosmic-ray's operators."""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BARE_SLASH = re.compile(r"[(,]\s*/\s*,")


@dataclass(frozen=True)
class Mutant:
    """One changed version of a module.

    Attributes:
        module: path relative to the repository.
        operator: cosmic-ray's name of the change.
        line: number of the first changed line.
        inside: name of the function, class or constant that is changed.
        before, after: the changed lines.
        source: the whole changed module.
        key: hash of the module's path and the changed top-level statement; comments, annotations and the
            rest of the module do not change it.
    """

    module: str
    operator: str
    line: int
    inside: str
    before: str
    after: str
    source: str
    key: str


def mutants(root: Path, module: str, operators: Iterable[str]) -> list[Mutant]:
    """All mutants of a module that differ from it and from each other in more than annotations."""
    source = (root / module).read_text()
    lines = source.splitlines(keepends=True)
    found: dict[str, Mutant] = {}
    for statement in ast.parse(source).body:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]) - 1
        last = statement.end_lineno
        text, original, name = "".join(lines[first:last]), _behaviour(statement), _name(statement)
        if original is None:
            continue
        for operator, changed in _changed_sources(text, operators):
            now = _behaviour_of(changed)
            if now in (None, original) or _only_signature(text, changed):
                continue
            key = hashlib.sha256(f"{module}\n{name}\n{now}".encode()).hexdigest()[:20]
            if key not in found:
                line, before, after = _difference(text, changed)
                whole = "".join([*lines[:first], changed, *lines[last:]])
                found[key] = Mutant(module, operator, first + line, name, before, after, whole, key)
    return list(found.values())


def _changed_sources(source: str, operators: Iterable[str]) -> Iterator[tuple[str, str]]:
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    nodes = list(ast_nodes(get_ast(source)))
    for name in operators:
        operator = get_operator(f"core/{name}")()
        places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        for occurrence in range(places):
            changed = mutate_code(source, operator, occurrence)
            if changed is not None:
                yield name, changed


def _only_signature(source: str, changed: str) -> bool:
    """Whether a bare ``*`` among parameters became a ``/``, which changes no number."""
    return len(BARE_SLASH.findall(changed)) > len(BARE_SLASH.findall(source))


def _difference(source: str, changed: str) -> tuple[int, str, str]:
    """First changed line, the lines that went, the lines that came."""
    lines = source.splitlines(), changed.splitlines()
    codes = difflib.SequenceMatcher(None, *lines, autojunk=False).get_opcodes()
    _, a, b, c, d = next(code for code in codes if code[0] != "equal")
    return a + 1, " ".join(" ".join(lines[0][a:b]).split()), " ".join(" ".join(lines[1][c:d]).split())


class _Behaviour(ast.NodeTransformer):
    """Removes what does not run: annotations, docstrings, imports for type checkers."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.dump(node.test) else self.generic_visit(node)


def _behaviour(statement: ast.stmt) -> str | None:
    """What a top-level statement does; None where it does nothing when it runs."""
    body = _Behaviour().visit(ast.Module([statement], [])).body
    return ast.dump(body[0]) if body else None


def _behaviour_of(source: str) -> str | None:
    try:
        (statement,) = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    return _behaviour(statement)


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return ast.unparse(target)
    return getattr(node, "name", type(node).__name__.lower())
