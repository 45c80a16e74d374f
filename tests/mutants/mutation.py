"""Mutants of a module: one small change each, made by cosmic-ray's operators."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


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
    original = _statements(ast.parse(source))
    found: dict[str, Mutant] = {}
    for operator, changed in _changed_sources(source, operators):
        try:
            tree = ast.parse(changed)
        except SyntaxError:
            continue
        different = [
            (was, now) for was, now in zip(original, _statements(tree), strict=False) if was[1] != now[1]
        ]
        if not different:
            continue
        (name, _), (_, now) = different[0]
        key = hashlib.sha256(f"{module}\n{name}\n{now}".encode()).hexdigest()[:20]
        if key not in found:
            line, before, after = _difference(source, changed)
            found[key] = Mutant(module, operator, line, name, before, after, changed, key)
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


def _statements(tree: ast.Module) -> list[tuple[str, str]]:
    """Name and code of each top-level statement."""
    body = _Behaviour().visit(tree).body
    return [(_name(node), ast.dump(node)) for node in body]


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return ast.unparse(target)
    return getattr(node, "name", type(node).__name__.lower())
