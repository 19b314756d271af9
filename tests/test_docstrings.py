"""Every public name has a numpydoc docstring that agrees with its signature."""

import importlib
import inspect
import pkgutil
import re
import warnings

import pytest
from numpydoc.validate import validate

import helpers

# What numpydoc asks for beyond what this project does: extended summaries, examples, see-also
# sections, and the place of the opening quotes.
NOT_ASKED = {"GL01", "ES01", "EX01", "SA01", "GL02", "SS06", "RT03", "RT05", "PR08", "PR09"}


def public_names() -> list[str]:
    """List the public functions and classes of helpers, each where it is defined."""
    names = []
    for module in pkgutil.walk_packages(helpers.__path__, "helpers."):
        for name, value in vars(importlib.import_module(module.name)).items():
            defined_here = getattr(value, "__module__", None) == module.name
            is_code = inspect.isfunction(value) or inspect.isclass(value)
            if defined_here and is_code and not name.startswith("_"):
                names.append(f"{module.name}.{name}")
    return names


def test_there_are_names_to_check():
    assert "helpers.text.decoding.softmax" in public_names()


@pytest.mark.parametrize("name", public_names())
def test_docstring_agrees_with_the_signature(name):
    with warnings.catch_warnings():
        # to look at every member of a widget is to touch deprecated ones, which nobody calls
        warnings.simplefilter("ignore", DeprecationWarning)
        errors = validate(name)["errors"]
    assert not [f"{code}: {text}" for code, text in errors if code not in NOT_ASKED]


@pytest.mark.parametrize("name", public_names())
def test_errors_that_are_raised_are_documented(name):
    """What a public function raises itself stands in its section Raises."""
    module, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(module), attribute)
    if not inspect.isfunction(value):
        return
    raised = {
        line.split("raise ", 1)[1].split("(")[0].strip()
        for line in inspect.getsource(value).splitlines()
        if re.match(r"\s*raise [A-Z]\w+\(", line)
    }
    for error in raised:
        assert f"    {error}\n" in (value.__doc__ or ""), f"{name} raises {error}"
