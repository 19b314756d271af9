"""Every name has a docstring; numpydoc checks those on the doors against their signatures.

A name is public if a room lists it in its ``__init__.pyi``. What only the modules of a room use
needs a sentence that says what it does, and no more.
"""

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import warnings
from types import FunctionType, ModuleType

import pytest
from numpydoc.validate import validate
from repository import ROOT

import helpers
from helpers import display, practice, sources, text, training, words

# What numpydoc asks for beyond what this project does: extended summaries, examples, see-also
# sections, and the place of the opening quotes.
NOT_ASKED = {"GL01", "ES01", "EX01", "SA01", "GL02", "SS06", "RT03", "RT05", "PR08", "PR09"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
METHODS = (FunctionType, classmethod, staticmethod, property, functools.cached_property)


def modules(package: ModuleType) -> list[ModuleType]:
    """Import every module of a package, in all of its folders."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(module.name) for module in found]


def public(module: ModuleType) -> dict[str, object]:
    """Find the public functions and classes that a module defines, and the methods of these."""
    names = {}
    for name, value in vars(module).items():
        defined_here = getattr(value, "__module__", None) == module.__name__
        is_code = inspect.isclass(value) or inspect.isroutine(inspect.unwrap(value))
        if defined_here and is_code and not name.startswith("_"):
            names[f"{module.__name__}.{name}"] = value
            for method in own_methods(value) if inspect.isclass(value) else ():
                names[f"{module.__name__}.{name}.{method}"] = getattr(value, method)
    return names


def own_methods(kind: type) -> list[str]:
    """List the public methods and properties that no base class has: those are described there."""
    return [
        name
        for name, value in vars(kind).items()
        if isinstance(value, METHODS) and not name.startswith("_")
        if not any(hasattr(base, name) for base in kind.__mro__[1:])
    ]


HELPERS = {name: value for module in modules(helpers) for name, value in public(module).items()}
ON_A_DOOR = {
    getattr(room, name)
    for room in (sources, text, training, display, practice)
    for name in room.__all__
    if inspect.isroutine(getattr(room, name)) or inspect.isclass(getattr(room, name))
} | {words.words}
# a method is as public as its class
PUBLIC = [
    name
    for name, value in HELPERS.items()
    if value in ON_A_DOOR or HELPERS.get(name.rpartition(".")[0]) in ON_A_DOOR
]


def test_every_name_on_a_door_is_checked():
    """What the walk above skips, nothing would check."""
    assert len([name for name in PUBLIC if HELPERS[name] in ON_A_DOOR]) == len(ON_A_DOOR)


def test_every_function_and_class_has_a_docstring():
    paths = [path for top in ("helpers", "tools") for path in (ROOT / top).rglob("*.py")]
    assert {path.parent.name for path in paths} >= {
        "sources",
        "text",
        "training",
        "display",
        "practice",
        "words",
    }
    for path in paths:
        tree = ast.parse(path.read_text())
        # the methods of a class with bases may be described there
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.bases]
        for node in [part for parent in (tree, *classes) for part in parent.body]:
            if not isinstance(node, DEFINITIONS) or node.name.startswith("_"):
                continue
            marks = {getattr(mark, "id", None) for mark in node.decorator_list}
            if "overload" not in marks:  # the docstring is that of what it overloads
                assert ast.get_docstring(node), f"{path.relative_to(ROOT)}: {node.name}"


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_agrees_with_the_signature(name):
    with warnings.catch_warnings():
        # to look at every member of a widget is to touch deprecated ones, which nobody calls
        warnings.simplefilter("ignore", DeprecationWarning)
        errors = validate(name)["errors"]
    assert not [f"{code}: {text}" for code, text in errors if code not in NOT_ASKED]


@pytest.mark.parametrize("name", PUBLIC)
def test_errors_that_are_raised_are_documented(name):
    """A public function lists in its section Raises what it raises itself."""
    value = inspect.unwrap(HELPERS[name])
    if not inspect.isfunction(value):
        return
    raised = {
        line.split("raise ", 1)[1].split("(")[0].strip()
        for line in inspect.getsource(value).splitlines()
        if re.match(r"\s*raise [A-Z]\w+\(", line)
    }
    for error in raised:
        assert f"\n{error}\n" in (inspect.getdoc(value) or ""), f"{name} raises {error}"
