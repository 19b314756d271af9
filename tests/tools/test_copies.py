"""The published copies of the notebooks: they run where there is no clone, and lead to the site."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from elsewhere import PIPELINE, RUN, link_libraries, own_variables, save_first_cells

from tools.copies import LINK, ROOT, copy_of

CHAPTERS = ROOT / "notebooks" / "en"
ACCELERATE = CHAPTERS / "3-fine-tuning" / "3-4-accelerate.ipynb"
NOTEBOOKS = sorted(CHAPTERS.glob("*/*.ipynb"))


@pytest.fixture
def elsewhere(tmp_path):
    """An environment with the libraries but without the book, and a folder outside the clone."""
    libraries = link_libraries(tmp_path / "libraries")
    venv.create(tmp_path / "empty", symlinks=True)
    (packages,) = (tmp_path / "empty").glob("[Ll]ib/**/site-packages")
    (packages / "libraries.pth").write_text(str(libraries))
    folder = tmp_path / "a reader's folder"
    folder.mkdir()
    python = tmp_path / "empty" / Path(sys.executable).parent.name / "python"

    def run(*arguments):
        done = subprocess.run(
            [python, *arguments],
            cwd=folder,
            env=own_variables(tmp_path),
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    status, _, err = run("-c", "import numpy, safetensors, helpers")
    assert status == 1
    assert "No module named 'helpers'" in err
    return SimpleNamespace(folder=folder, run=run)


def test_a_copy_runs_from_top_to_bottom_where_there_is_no_clone(elsewhere, site, address):
    (wheel,) = (path.name for path in site.glob("*.whl"))
    copy = copy_of(PIPELINE, wheel, address=address, places=(f"{address}{wheel}",))
    save_first_cells(copy, elsewhere.folder / "copy.ipynb")
    status, out, err = elsewhere.run("-c", RUN, "copy.ipynb")
    assert status == 0, err[-3000:]
    assert "Installed." in out


def test_without_a_network_the_wheel_beside_the_copy_is_enough(elsewhere, site):
    """The copy says so. It brings the script that 3-4 reads, and what that imports."""
    (wheel,) = site.glob("*.whl")
    copy = copy_of(ACCELERATE, wheel.name, places=("http://127.0.0.1:9/refused.whl",))
    reads = next(i for i, cell in enumerate(copy.cells) if 'Path("train.py")' in cell.source and i)
    copy.cells = [*copy.cells[:4], copy.cells[reads]]
    save_first_cells(copy, elsewhere.folder / "copy.ipynb")
    status, _, err = elsewhere.run("-c", RUN, "copy.ipynb")
    assert status == 1
    assert f"Without a network, copy {wheel.name}" in err

    shutil.copy(wheel, elsewhere.folder)
    status, out, err = elsewhere.run("-c", RUN, "copy.ipynb")
    assert status == 0, err[-3000:]
    assert "Installed." in out
    for name in ("train.py", "own_data.py", "progress.py"):
        brought = elsewhere.folder / name
        assert brought.read_bytes() == ACCELERATE.with_name(name).read_bytes()
    status, out, err = elsewhere.run("train.py", "--help")
    assert (status, "--train FILE" in out) == (0, True), err[-3000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem[:3])
def test_the_first_cell_does_nothing_where_the_book_is_installed(notebook, monkeypatch, capfd):
    monkeypatch.chdir(notebook.parent)
    monkeypatch.setattr(subprocess, "run", None)
    exec(copy_of(notebook, "x.whl").cells[0].source, {})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem[:3])
def test_a_copy_is_the_notebook_and_one_more_cell(notebook):
    stored = nbformat.read(notebook, as_version=4)
    copy = copy_of(notebook, "x.whl")
    nbformat.validate(copy)
    assert copy.cells[1:] == stored.cells
    here = copy_of(notebook, "x.whl", address="https://example.org/")
    for cell, ours in zip(here.cells[1:], stored.cells, strict=True):
        links = LINK.findall(ours.source) if cell.cell_type == "markdown" else []
        assert len(links) == cell.source.count("](https://example")
        assert cell.get("outputs") == ours.get("outputs")


def test_the_links_of_a_copy_lead_to_pages_and_pictures_of_the_site(site):
    found = set()
    for notebook in NOTEBOOKS:
        for cell in copy_of(notebook, "x.whl", address="SITE:").cells[1:]:
            assert not LINK.search(cell.source) or cell.cell_type != "markdown"
            found |= {part.split(")")[0] for part in cell.source.split("](SITE:")[1:]}
    assert len(found) > 50
    for name, _, anchor in (link.partition("#") for link in found):
        assert (site / name).is_file(), name
        assert not anchor or f'id="{anchor}"' in (site / name).read_text(), f"{name}#{anchor}"


def test_the_notebooks_of_the_site_are_copies(site):
    downloads = sorted((site / "_sources").rglob("*.ipynb"))
    assert [path.name for path in downloads] == [path.name for path in NOTEBOOKS]
    (wheel,) = (path.name for path in site.glob("*.whl"))
    for path in downloads:
        first = json.loads(path.read_text())["cells"][0]
        assert first["id"] == "get-the-book"
        assert f'WHEEL = "{wheel}"' in "".join(first["source"])
