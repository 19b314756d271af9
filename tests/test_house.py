"""The house: one list of dependencies, a lock that agrees, a map that shows what is there."""

import re
import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
LARGEST_REPOSITORY = 12_000_000  # bytes, of which the three adapters take 6.4 million


def tracked() -> list[Path]:
    """List what is under version control, or skip where this is no clone."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("no git clone: an unpacked archive, or a copy made by a test")
    return [Path(name) for name in listing.stdout.split("\0") if name]


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
        f"{distribution.name} {distribution.version}: {distribution.metadata['Requires-Python']}"
        for distribution in distributions()
        if (asked := distribution.metadata["Requires-Python"])
        and not SpecifierSet(asked).contains("3.11.2")
    }
    assert not asks_more


def test_conda_and_binder_take_everything_from_there():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert from_pip == {"pip": ["-c requirements.lock", "-e .[dev]"]}


def test_continuous_integration_calls_make_and_nothing_else():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(workflow.read_text())["jobs"].values():
            for step in job["steps"]:
                if "run" in step:
                    make, target = step["run"].split()
                    assert make == "make"
                    assert target in targets
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def test_the_readmes_map_shows_each_module_and_no_ghost():
    readme = (ROOT / "README.md").read_text()
    for module in (ROOT / "helpers").glob("[!_]*.py"):
        assert f"`helpers/{module.name}`" in readme, module.name
    for name in re.findall(r"\]\(([\w./-]+)\)", readme):
        assert (ROOT / name).exists(), name
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    for folder in folders - {".ci", ".github"}:
        assert f"({folder}" in readme, folder


def test_the_repository_is_small():
    assert sum((ROOT / path).stat().st_size for path in tracked()) <= LARGEST_REPOSITORY
