"""The layers of the integration: who may import whom."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
import sys
from typing import Final

import pytest

from tests import PACKAGE, ROOT

# From the bottom to the top. A module imports from the layers below its own, and from its own layer without a circle.
LAYERS: Final = (
    ("api", "const"),
    ("address", "api_token", "billing", "errors", "phone_number", "symbols", "text"),
    (
        "preparation",
        "coordinator",
        "delays",
        "device",
        "entity",
        "feed",
        "forms",
        "issues",
        "options",
        "outbox",
        "permissions",
        "plan",
        "runtime_data",
        "sending",
        "subentries",
        "updates",
    ),
    (
        "__init__",
        "backup",
        "binary_sensor",
        "button",
        "card",
        "condition",
        "config_flow",
        "diagnostics",
        "event",
        "llm",
        "notify",
        "notify_actions",
        "options_flow",
        "repairs",
        "sensor",
        "services",
        "subentry_flow",
        "switch",
        "system_health",
        "trigger",
        "websocket",
    ),
)
LAYER_OF: Final = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}

# The faces do not know each other, but for those that put others together.
FACES: Final = len(LAYERS) - 1
ASSEMBLIES: Final = {
    "__init__": {"card", "notify_actions", "services", "websocket"},
    "config_flow": {"options_flow", "subentry_flow"},
}

# What the client may be built on, to be a library of its own one day.
API_LIBRARIES: Final = {"aiohttp", "aiolimiter", *sys.stdlib_module_names}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name."""

    level: int
    module: tuple[str, ...]
    name: str | None


def imports_of(tree: ast.AST) -> Iterator[Import]:
    """Yield what is imported anywhere in a module: in functions, and for types, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Import(level=0, module=tuple(alias.name.split(".")), name=None)
            case ast.ImportFrom():
                module = tuple(node.module.split(".")) if node.module else ()
                for alias in node.names:
                    yield Import(level=node.level, module=module, name=alias.name)


def path_in_package(file: tuple[str, ...], found: Import) -> tuple[str, ...] | None:
    """Return the path of an imported module in the package, or None if it is outside."""
    if found.level:
        folder = file[: len(file) - found.level]
        path = (*folder, *found.module)
        # `from . import const` names a module, `from .const import DOMAIN` a thing in one.
        return path if found.module or found.name is None else (*path, found.name)
    own = ("custom_components", PACKAGE.name)
    if found.module[:2] != own:
        return None
    path = found.module[2:]
    return path or (found.name or "__init__",)


def problems_of_import(file: tuple[str, ...], found: Import) -> Iterator[str]:
    """Yield the violations of one import in a file, given as the parts of its path without `.py`."""
    unit = file[0]
    path = path_in_package(file, found)
    if path is None:
        if found.module[0] == "probatio":
            yield "imports probatio, which Home Assistant 2026.8 does not have"
        if unit == "api" and found.module[0] not in API_LIBRARIES:
            yield f"imports {found.module[0]}: the client knows only aiohttp, aiolimiter and the standard library"
        return
    target = path[0]
    if unit == "api" and (target != "api" or found.level == 0):
        yield f"imports {'.'.join(path)}: the client reaches its own modules alone, by relative imports"
        return
    if target == unit:
        return
    if target not in LAYER_OF:
        yield f"imports {target}, which has no layer"
        return
    if len(path) > 1:
        yield f"imports {'.'.join(path)} past the face of {target}"
    if LAYER_OF[target] > LAYER_OF.get(unit, -1):
        yield f"imports {target}, which is above it"
    elif LAYER_OF[target] == FACES and target not in ASSEMBLIES.get(unit, ()):
        yield f"imports {target}: the faces do not know each other"


def circle_in(imports: Mapping[tuple[str, ...], set[tuple[str, ...]]]) -> list[str]:
    """Return the modules that import each other in a circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as err:
        return ["/".join(module) for module in err.args[1]]
    return []


def problems_of_package(root: Path) -> list[str]:
    """Return every breach of the layers in a package."""
    problems: list[str] = []
    units: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    modules: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for source in sorted(root.rglob("*.py")):
        file = source.relative_to(root).with_suffix("").parts
        tree = ast.parse(source.read_text(encoding="utf-8"))
        imports = list(imports_of(tree))
        found = [problem for imported in imports for problem in problems_of_import(file, imported)]
        if file[0] not in LAYER_OF:
            found.insert(0, "has no layer")
        if file == ("__init__",) and any(isinstance(node, ast.ClassDef) for node in ast.walk(tree)):
            found.append("has a class in it")
        if any(isinstance(node, ast.Name | ast.alias) and _name_of(node) == "TYPE_CHECKING" for node in ast.walk(tree)):
            found.append("imports for types alone")
        problems += [f"{'/'.join(file)} {problem}" for problem in dict.fromkeys(found)]
        paths = {path for imported in imports if (path := path_in_package(file, imported))}
        units.setdefault(file[:1], set()).update({path[:1] for path in paths} - {file[:1]})
        if len(file) > 1:
            modules[file] = {path for path in paths if path[0] == file[0] and path != file}
    problems += [f"{' -> '.join(circle)} is a circle" for circle in (circle_in(units), circle_in(modules)) if circle]
    return problems


def _name_of(node: ast.Name | ast.alias) -> str:
    return node.id if isinstance(node, ast.Name) else node.name


def test_the_integration_keeps_its_layers() -> None:
    assert problems_of_package(PACKAGE) == []


def test_there_is_something_to_check() -> None:
    assert (PACKAGE / "__init__.py").exists()


# Trees that break one rule each, as files with their content, and what has to be said about it.
@pytest.mark.parametrize(
    ("files", "problems"),
    [
        pytest.param(
            {"errors.py": "from .coordinator import A"},
            ["errors imports coordinator, which is above it"],
            id="up",
        ),
        pytest.param(
            {"errors.py": "def f():\n    from . import coordinator"},
            ["errors imports coordinator, which is above it"],
            id="up-inside-a-function",
        ),
        pytest.param(
            {"errors.py": "import custom_components.gosms.entity"},
            ["errors imports entity, which is above it"],
            id="up-by-its-full-name",
        ),
        pytest.param(
            {"errors.py": "from custom_components.gosms import entity"},
            ["errors imports entity, which is above it"],
            id="up-from-the-full-name",
        ),
        pytest.param(
            {"sensor.py": "from .notify import A"},
            ["sensor imports notify: the faces do not know each other"],
            id="sideways",
        ),
        pytest.param(
            {"coordinator.py": "from . import __init__ as x"},
            ["coordinator imports __init__, which is above it"],
            id="to-the-top",
        ),
        pytest.param(
            {"errors.py": "if TYPE_CHECKING:\n    from .runtime_data import GoSmsConfigEntry"},
            ["errors imports runtime_data, which is above it", "errors imports for types alone"],
            id="up-for-a-type",
        ),
        pytest.param(
            {"entity.py": "from typing import TYPE_CHECKING"},
            ["entity imports for types alone"],
            id="for-types-alone",
        ),
        pytest.param(
            {"coordinator.py": "from .outbox import A", "outbox/__init__.py": "from ..coordinator import B"},
            ["coordinator -> outbox -> coordinator is a circle"],
            id="circle-on-a-layer",
        ),
        pytest.param(
            {"outbox/store.py": "from .history import A", "outbox/history.py": "from .store import B"},
            ["outbox/history -> outbox/store -> outbox/history is a circle"],
            id="circle-in-a-folder",
        ),
        pytest.param(
            {"runtime_data.py": "from .outbox.store import A"},
            ["runtime_data imports outbox.store past the face of outbox"],
            id="past-the-face",
        ),
        pytest.param(
            {"coordinator.py": "from .api.client import A"},
            ["coordinator imports api.client past the face of api"],
            id="past-the-face-of-the-client",
        ),
        pytest.param(
            {"api/client.py": "from ..const import DOMAIN"},
            ["api/client imports const: the client reaches its own modules alone, by relative imports"],
            id="client-reaches-out",
        ),
        pytest.param(
            {"api/client.py": "from custom_components.gosms.api.models import A"},
            ["api/client imports api.models: the client reaches its own modules alone, by relative imports"],
            id="client-by-its-full-name",
        ),
        pytest.param(
            {"api/client.py": "import homeassistant.core"},
            ["api/client imports homeassistant: the client knows only aiohttp, aiolimiter and the standard library"],
            id="client-knows-home-assistant",
        ),
        pytest.param(
            {"sensor.py": "from probatio import Schema"},
            ["sensor imports probatio, which Home Assistant 2026.8 does not have"],
            id="probatio",
        ),
        pytest.param({"helpers.py": ""}, ["helpers has no layer"], id="unknown-module"),
        pytest.param({"util/names.py": ""}, ["util/names has no layer"], id="unknown-folder"),
        pytest.param(
            {"sensor.py": "from .helpers import A"}, ["sensor imports helpers, which has no layer"], id="unknown-import"
        ),
        pytest.param({"__init__.py": "class A:\n    pass"}, ["__init__ has a class in it"], id="class-in-the-assembly"),
    ],
)
def test_a_breach_of_the_layers_is_found(tmp_path: Path, files: dict[str, str], problems: list[str]) -> None:
    _write(tmp_path, files)
    assert problems_of_package(tmp_path) == problems


def test_a_valid_package_has_no_violations(tmp_path: Path) -> None:
    files = {
        "__init__.py": "from .outbox import Outbox\nfrom . import const",
        "api/__init__.py": "from .client import A",
        "api/client.py": "import asyncio\nfrom aiohttp import ClientSession\nfrom .models import A",
        "errors.py": "from .api import A",
        "config_flow.py": "from .options_flow import A",
        "options_flow.py": "from .options import A",
        "options.py": "",
        "runtime_data.py": "from .outbox import A",
        "outbox/__init__.py": "from .outbox import Outbox",
        "outbox/outbox.py": "from ..errors import A\nfrom .store import B\nimport voluptuous as vol",
        "sensor.py": "from .entity import A\nfrom homeassistant.core import callback",
    }
    _write(tmp_path, files)
    assert problems_of_package(tmp_path) == []


def _write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")


# The tools and the benchmarks, which wrap and call the outbox from outside.
OUTSIDE: Final = ("benchmarks", "devtools")


def private_names(package: Path) -> set[str]:
    """Return the names in a package that begin with an underscore: of methods, functions, attributes and constants."""
    found: set[str] = set()
    for source in package.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.Attribute(value=ast.Name(id="self"), attr=name) | ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def problems_outside(root: Path, private: set[str]) -> list[str]:
    """Return where a program knows what is private to the outbox: its modules, or its private names."""
    problems: list[str] = []
    for source in sorted(root.rglob("*.py")):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        own = private_names(source.parent)
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module)) if module.startswith("custom_components.gosms.outbox."):
                    problems.append(f"{source.name} imports {module}")
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner != "self" and name in private - own:
                    problems.append(f"{source.name} knows {name}")
                case ast.Constant(value=str(name)) if name in private - own:
                    problems.append(f"{source.name} knows {name}")
    return problems


@pytest.mark.parametrize("folder", OUTSIDE)
def test_no_tool_knows_what_is_private_to_the_outbox(folder: str) -> None:
    assert problems_outside(ROOT / folder, private_names(PACKAGE / "outbox")) == []


def test_private_names_in_a_tool_are_found(tmp_path: Path) -> None:
    source = "from custom_components.gosms.outbox.store import A\nstore._save()\nsetattr(A, '_save', None)"
    _write(tmp_path, {"tool.py": source})
    assert problems_outside(tmp_path, {"_save"}) == [
        "tool.py imports custom_components.gosms.outbox.store",
        "tool.py knows _save",
        "tool.py knows _save",
    ]
