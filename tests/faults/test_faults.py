"""Plant a fault in a copy of the book, and see the checks go red.

    make faults

A net that has never caught anything may have a hole. Each fault below is one that a check has to
catch: the unit tests of the module, or nbval, which runs the notebook and compares its results.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTER = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.ipynb"

# name: the file, what stands in it, what takes its place, the unit tests that have to notice
FAULTS = {
    "softmax over the wrong axis": (
        "helpers/decoding.py",
        "return scores.softmax(dim=axis).to(kind)",
        "return scores.softmax(dim=0).to(kind)",
        "tests/test_decoding.py",
    ),
    "temperature multiplies instead of dividing": (
        "helpers/decoding.py",
        "scores.amax(dim=axis, keepdim=True)) / temperature",
        "scores.amax(dim=axis, keepdim=True)) * temperature",
        "tests/test_decoding.py",
    ),
    "id2label swapped": (
        "helpers/decoding.py",
        '"label": id2label[int(i)]',
        '"label": id2label[len(row) - 1 - int(i)]',
        "tests/test_decoding.py",
    ),
    "token table off by one": (
        "helpers/tokens.py",
        'columns["position"] += range(len(row))',
        'columns["position"] += range(1, len(row) + 1)',
        "tests/test_tokens.py",
    ),
    "a library announces a removal": (
        "helpers/tokens.py",
        "    import pandas as pd\n\n    if not",
        "    import pandas as pd, warnings\n    warnings.warn('x', DeprecationWarning)\n    if not",
        "tests/test_tokens.py",
    ),
    "padding shown as text": (
        "helpers/tokens.py",
        "if token_id == tokenizer.pad_token_id:",
        "if token_id == tokenizer.sep_token_id:",
        "tests/test_tokens.py",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of what the checks read, without the environment and what was built."""
    folder = tmp_path_factory.mktemp("faults") / "book"
    ignored = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run pytest on the copy; its own helpers come first on the path."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "error::DeprecationWarning,error::FutureWarning",
    }
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def nbval(folder: Path) -> subprocess.CompletedProcess:
    """Run the chapter as `make test` does."""
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/sanitize.cfg"]
    return check(folder, CHAPTER, *options)


@pytest.mark.parametrize("name", FAULTS)
def test_the_unit_tests_notice(copy, name):
    file, right, wrong, tests = FAULTS[name]
    target = copy / file
    original = target.read_text()
    assert original.count(right) == 1, "the fault's place has moved: bring this table up to date"
    target.write_text(original.replace(right, wrong))
    try:
        result = check(copy, tests)
    finally:
        target.write_text(original)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "failed" in result.stdout


def test_nbval_passes_as_it_is_and_notices_each_fault(copy):
    """All in one test: the runs of the notebook must not get in each other's way."""
    as_it_is = nbval(copy)
    assert as_it_is.returncode == 0, as_it_is.stdout + as_it_is.stderr
    for name, (file, right, wrong, _) in FAULTS.items():
        target = copy / file
        original = target.read_text()
        target.write_text(original.replace(right, wrong))
        result = nbval(copy)
        target.write_text(original)
        assert result.returncode == 1, f"{name}: nbval saw nothing\n{result.stdout}"
        assert "failed" in result.stdout, name


def test_nbval_notices_a_stored_result_that_was_changed(copy):
    """One digit of one id, typed by hand into the stored output."""
    target = copy / CHAPTER
    original = target.read_text()
    assert "17662" in original
    target.write_text(original.replace("17662", "17663"))
    result = nbval(copy)
    target.write_text(original)
    assert result.returncode == 1, result.stdout + result.stderr


def test_the_pair_check_notices_a_drifted_pair(copy):
    source = (copy / CHAPTER).with_suffix(".md")
    original = source.read_text()
    source.write_text(original.replace("truncation=True", "truncation=False", 1))
    result = check(copy, "tests/test_notebooks.py", "-k", "pair_agrees")
    source.write_text(original)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 failed" in result.stdout
