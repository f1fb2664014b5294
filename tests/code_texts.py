"""The translation keys in the integration's code, found in its syntax trees."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests import PACKAGE


def _docstrings(tree: ast.AST) -> set[ast.AST]:
    """Return the nodes of docstrings."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


@dataclass(kw_only=True)
class CodeTexts:
    """The keys in the code, by their use."""

    constants: set[str] = field(default_factory=set)
    error_keys: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    exceptions: set[str] = field(default_factory=set)
    issues: set[str] = field(default_factory=set)
    selectors: set[str] = field(default_factory=set)
    aborts: set[str] = field(default_factory=set)
    form_errors: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)

    @classmethod
    def of_files(cls, files: Iterable[Path]) -> Self:
        """Read source files."""
        texts = cls()
        for file in files:
            texts.read(file.relative_to(PACKAGE).with_suffix("").parts[0], ast.parse(file.read_text(encoding="utf-8")))
        return texts

    def read(self, module: str, tree: ast.Module) -> None:
        """Read one module."""
        docstrings = _docstrings(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if node not in docstrings:
                    self.constants.add(text)
                case ast.AsyncFunctionDef(name=name) if name.startswith("async_step_"):
                    self.steps.add(name.removeprefix("async_step_"))
                case ast.Call():
                    self._read_call(module, node)
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))]):
                    self.form_errors.update(_key(node.value))
                case ast.Return() if module == "errors":
                    self.error_keys.update(_key(node.value))

    def _read_call(self, module: str, call: ast.Call) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        key = set(_key(given.get("translation_key")))
        if "translation_domain" in given:
            self.exceptions |= key
        elif name in {"async_create_issue", "async_get_or_create"}:
            self.issues |= key
        elif name == "SelectSelectorConfig":
            self.selectors |= key
        elif name.endswith("Description"):
            self.entities.update(f"{module}.{key}" for key in _key(given.get("key")))
        elif name == "Row":
            # The table of the vendor's codes.
            self.error_keys.update(_key(given["text"]))
            self.form_errors.update(_key(given.get("form_error")))
            self.issues.update(_key(given.get("issue")))
        elif name == "async_abort":
            self.aborts.update(_key(given.get("reason")))
        elif name == "AbortFlow":
            self.aborts.update(_key(call.args[0]))
        if isinstance(errors := given.get("errors"), ast.Dict):
            self.form_errors.update(text for value in errors.values for text in _key(value))


def _key(node: ast.expr | None) -> Iterator[str]:
    """Yield the literal keys that an expression can have."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from _key(node.body)
            yield from _key(node.orelse)
