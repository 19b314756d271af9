"""The wheel holds what the notebooks need, and works away from the checkout."""

import os
import re
import shutil
import zipfile
from pathlib import Path

import jupytext
import pytest
from processes import run_code, run_loaded

from tools.wheel import NEEDED, build_wheel

ROOT = Path(__file__).parents[2]
BEHIND_THE_PIPELINE = ROOT / "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.md"
FIRST_CELLS = 6

# In a process that has the libraries loaded, but no module of the checkout.
AWAY_FROM_THE_CHECKOUT = """
import os, sys
from importlib.util import find_spec
wheel, checkout, elsewhere = sys.argv[1:4]
os.chdir(elsewhere)
assert not any(name.split(".")[0] == "helpers" for name in sys.modules)
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [wheel] + [path for path in sys.path if path not in ("", checkout, checkout + "/tests")]
assert find_spec("helpers").origin.startswith(wheel), find_spec("helpers")
assert find_spec("tools") is None
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The wheel, as the site publishes it."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    """What is in the wheel."""
    zipfile.ZipFile(built).extractall(built.parent / "unpacked")
    return built.parent / "unpacked"


def test_the_same_files_give_the_same_wheel(built, tmp_path, monkeypatch):
    """Whatever the modes of the clone, and of those who build."""
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    for path in tmp_path.rglob("*.py"):
        path.chmod(0o700)
        os.utime(path, (1e9, 1e9))
    monkeypatch.setattr("tools.wheel.ROOT", tmp_path)
    before = os.umask(0o077)
    try:
        again = build_wheel(tmp_path / "again")
    finally:
        os.umask(before)
    assert again.name == built.name
    assert again.read_bytes() == built.read_bytes()


def test_the_wheel_holds_every_file_of_helpers(wheel):
    def files(folder: Path) -> set[str]:
        paths = [path for path in (folder / "helpers").rglob("*") if path.is_file()]
        return {p.relative_to(folder).as_posix() for p in paths if "__pycache__" not in p.parts}

    expected = files(ROOT)
    for suffix in (
        ".safetensors",
        ".parquet",
        ".csv",
        ".yaml",
        ".css",
        ".js",
        ".pyi",
        "SHA256SUMS",
    ):
        assert any(name.endswith(suffix) for name in expected), suffix
    assert files(wheel) == expected


def test_the_first_cells_of_a_notebook_run_from_the_wheel(wheel, tmp_path):
    cells = jupytext.read(BEHIND_THE_PIPELINE, fmt="md:myst").cells
    cells = [cell.source for cell in cells if cell.cell_type == "code"][:FIRST_CELLS]
    assert "resolve(" in "".join(cells)
    assert re.search(r"from helpers\.\w+ import", "".join(cells))
    code = AWAY_FROM_THE_CHECKOUT + "\n".join(cells)
    code += "\nimport helpers.sources\nprint(helpers.sources.film_reviews().shape)"
    code += "\nprint(len(helpers.sources.load_dataset('glue', 'mrpc')['train']))"
    code += "\nprint(sorted(helpers.sources.read_events())[0])"
    status, out, err = run_loaded(
        run_code, code, wheel, ROOT, tmp_path, COURSE_CACHE=str(tmp_path / "cache")
    )
    assert status == 0, err
    assert "source: bundled with the book" in out
    assert "\n(1000, 2)\n" in out
    assert out.endswith("\n3600\nbusiness\n")
    assert len(list((tmp_path / "cache").rglob("model.safetensors"))) == 1
