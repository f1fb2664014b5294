"""The layers of the integration: who may import whom."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parents[1] / "custom_components/gosms"

# From the bottom to the top. A module imports only from rows below its own.
ROWS: Final = (
    ("api", "const", "symbols"),
    ("address", "errors", "issues", "text", "phone_number"),
    ("compose", "coordinator", "outbox"),
    ("runtime_data",),
    ("entity", "subentry_flow"),
    ("options_flow",),
    (
        "config_flow",
        "services",
        "notify",
        "sensor",
        "binary_sensor",
        "event",
        "switch",
        "diagnostics",
        "repairs",
        "system_health",
    ),
    ("__init__",),
)
ROW_OF: Final = {module: row for row, modules in enumerate(ROWS) for module in modules}

# The one thing that a type annotation may reach up for.
ENTRY_ALIAS: Final = ("runtime_data", "GoSmsConfigEntry")

# What the client may be built on, to be a library of its own one day.
API_LIBRARIES: Final = {"aiohttp", "aiolimiter", *sys.stdlib_module_names}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported name."""

    level: int
    module: tuple[str, ...]
    name: str | None
    for_types: bool


def imports_of(node: ast.AST, *, for_types: bool = False) -> Iterator[Import]:
    """Yield what is imported anywhere below a node, functions included."""
    match node:
        case ast.Import():
            for alias in node.names:
                yield Import(level=0, module=tuple(alias.name.split(".")), name=None, for_types=for_types)
        case ast.ImportFrom():
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                yield Import(level=node.level, module=module, name=alias.name, for_types=for_types)
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            for statement in node.body:
                yield from imports_of(statement, for_types=True)
            for statement in node.orelse:
                yield from imports_of(statement, for_types=for_types)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from imports_of(child, for_types=for_types)


def path_in_package(file: tuple[str, ...], found: Import) -> tuple[str, ...] | None:
    """Return where in the package an import leads, as the parts of a module's path; None leads out of it."""
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


def faults_of_import(file: tuple[str, ...], found: Import) -> Iterator[str]:
    """Yield what is wrong with one import in a file, given as the parts of its path without `.py`."""
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
    if target not in ROW_OF:
        yield f"imports {target}, which has no row"
        return
    if len(path) > 1:
        yield f"imports {'.'.join(path)} past the face of {target}"
    if found.for_types and (target, found.name) == ENTRY_ALIAS:
        return
    if ROW_OF[target] >= ROW_OF.get(unit, -1):
        yield f"imports {target}, which is not below it"


def faults_of_package(root: Path) -> list[str]:
    """Return every breach of the layers in a package."""
    faults: list[str] = []
    for source in sorted(root.rglob("*.py")):
        file = source.relative_to(root).with_suffix("").parts
        tree = ast.parse(source.read_text(encoding="utf-8"))
        found = [fault for imported in imports_of(tree) for fault in faults_of_import(file, imported)]
        if file[0] not in ROW_OF:
            found.insert(0, "has no row")
        if file == ("__init__",) and any(isinstance(node, ast.ClassDef) for node in ast.walk(tree)):
            found.append("has a class in it")
        faults += [f"{'/'.join(file)} {fault}" for fault in dict.fromkeys(found)]
    return faults


def test_the_integration_keeps_its_layers() -> None:
    assert faults_of_package(PACKAGE) == []


def test_there_is_something_to_check() -> None:
    assert (PACKAGE / "__init__.py").exists()


# Trees that break one rule each, as files with their content, and what has to be said about it.
@pytest.mark.parametrize(
    ("files", "faults"),
    [
        pytest.param(
            {"errors.py": "from .coordinator import A"},
            ["errors imports coordinator, which is not below it"],
            id="up",
        ),
        pytest.param(
            {"errors.py": "def f():\n    from . import coordinator"},
            ["errors imports coordinator, which is not below it"],
            id="up-inside-a-function",
        ),
        pytest.param(
            {"errors.py": "import custom_components.gosms.entity"},
            ["errors imports entity, which is not below it"],
            id="up-by-its-full-name",
        ),
        pytest.param(
            {"errors.py": "from custom_components.gosms import entity"},
            ["errors imports entity, which is not below it"],
            id="up-from-the-full-name",
        ),
        pytest.param(
            {"sensor.py": "from .notify import A"},
            ["sensor imports notify, which is not below it"],
            id="sideways",
        ),
        pytest.param(
            {"outbox/sender.py": "from ..coordinator import A"},
            ["outbox/sender imports coordinator, which is not below it"],
            id="sideways-out-of-a-folder",
        ),
        pytest.param(
            {"coordinator.py": "from . import __init__ as x"},
            ["coordinator imports __init__, which is not below it"],
            id="to-the-top",
        ),
        pytest.param(
            {"errors.py": "import typing\nif typing.TYPE_CHECKING:\n    from .runtime_data import GoSmsData"},
            ["errors imports runtime_data, which is not below it"],
            id="up-for-another-type",
        ),
        pytest.param(
            {"errors.py": "from .runtime_data import GoSmsConfigEntry"},
            ["errors imports runtime_data, which is not below it"],
            id="up-for-the-entry-at-run-time",
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
        pytest.param({"helpers.py": ""}, ["helpers has no row"], id="unknown-module"),
        pytest.param({"util/names.py": ""}, ["util/names has no row"], id="unknown-folder"),
        pytest.param(
            {"sensor.py": "from .helpers import A"}, ["sensor imports helpers, which has no row"], id="unknown-import"
        ),
        pytest.param({"__init__.py": "class A:\n    pass"}, ["__init__ has a class in it"], id="class-in-the-assembly"),
    ],
)
def test_a_breach_of_the_layers_is_found(tmp_path: Path, files: dict[str, str], faults: list[str]) -> None:
    _write(tmp_path, files)
    assert faults_of_package(tmp_path) == faults


def test_an_orderly_package_is_left_in_peace(tmp_path: Path) -> None:
    files = {
        "__init__.py": "from .outbox import Outbox\nfrom . import const",
        "api/__init__.py": "from .client import A",
        "api/client.py": "import asyncio\nfrom aiohttp import ClientSession\nfrom .models import A",
        "errors.py": "from .api import A\nif TYPE_CHECKING:\n    from .runtime_data import GoSmsConfigEntry",
        "outbox/__init__.py": "from .outbox import Outbox",
        "outbox/outbox.py": "from ..errors import A\nfrom .store import B\nimport voluptuous as vol",
        "sensor.py": "from .entity import A\nfrom homeassistant.core import callback",
    }
    _write(tmp_path, files)
    assert faults_of_package(tmp_path) == []


def _write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
