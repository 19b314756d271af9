"""`make canary` from end to end, on a small book and fake releases in a folder of wheels.

The environments are real, made by uv in a second, and hold only the small packages: one of these
opens the way to the libraries of the environment in which the tests run. What an installation of
everything would show, `make canary` itself shows.
"""

import contextlib
import html
import io
import re
import shutil
from types import SimpleNamespace

import fake_releases
import pytest
from contrast import contrast

from tools.canary import __main__ as canary
from tools.canary import issues

# the color behind an element, and its own
COLORS = """(element) => {
  const ground = (one) => getComputedStyle(one).backgroundColor;
  let behind = element;
  while (ground(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  return [ground(behind), getComputedStyle(element).color];
}"""
PARROT, WREN = "parrot 1.0 → 2.0", "wren 1.0 → 1.1"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Let uv see the fake releases and nothing else."""
    wheels = tmp_path_factory.mktemp("wheels")
    fake_releases.write_releases(wheels)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("UV_CONSTRAINT", "GITHUB_ACTIONS"):
            patch.delenv(name, raising=False)
        patch.setenv("UV_FIND_LINKS", str(wheels))
        patch.setenv("UV_NO_INDEX", "1")
        patch.setenv("UV_NO_SOURCES", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield wheels


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The small book, locked on the old releases."""
    root = tmp_path_factory.mktemp("canary") / "a book"
    fake_releases.write_book(root)
    return root


@pytest.fixture(scope="module")
def done(settings, book):
    """What one run of the command prints and writes, and the stages that go into issues."""
    filed = []
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(issues, "take_token", lambda: "token")
        patch.setattr(issues, "publish", lambda stages, token: filed.extend(stages) or ["#1"])
        status = canary.main(["--pre", "1"], book)
    return SimpleNamespace(
        status=status, printed=printed.getvalue(), stages=filed, folder=book / "_build" / "canary"
    )


def test_each_difference_is_named_by_its_kind_and_its_culprit(done):
    assert {one.place: one.culprit for one in done.stages[0].findings} == {
        ("1-1", 2, "number"): PARROT,  # a changed id
        ("1-1", 3, "warning"): PARROT,
        ("1-1", 4, "error"): PARROT,  # a renamed argument
        ("1-1", 5, "picture"): PARROT,
        ("1-1", 6, "widget"): PARROT,
        ("1-1", 7, "missing"): PARROT,
        ("1-1", 8, "text"): WREN,
        ("1-1", 9, "text"): "yaffle 1.0 → 1.1",
    }
    assert done.status == 1


def test_pre_releases_are_compared_with_the_newest_releases(done):
    stage = done.stages[1]
    assert stage.changed == {"owl": ("1.1", "1.2rc1")}
    found = {one.place: one.culprit for one in stage.findings}
    assert found == {("1-1", 10, "text"): "owl 1.1 → 1.2rc1"}


def test_the_reader_is_thought_of(done):
    notes = {
        (one.cell, passage.place): passage.text
        for one in done.stages[0].findings
        for passage in one.passages
    }
    assert notes == {
        ("cell 2 of 1-1", "sentence"): "The id in the middle is 7592.",
        ("cell 2 of 1-1", "answer to exercise 1"): "It is 7592, as above.",
        ("cell 4 of 1-1", "sentence"): "The argument `times` says how often.",
        ("cell 4 of 1-1", "row of Then and now"): "`parrot.call(3)` | `parrot.call(times=3)`",
    }


def test_the_terminal_says_it_in_a_few_lines(done):
    assert "On the newest releases (5 packages changed): 8 differences." in done.printed
    parrot, wren = done.printed.index(f"{PARROT} changes"), done.printed.index(f"{WREN} changes")
    line = "cell 2 of 1-1: number: [101, 7592, 102] → [101, 7593, 102]"
    assert parrot < done.printed.index(line) < wren
    assert "On pre-releases (1 package changed): 1 difference." in done.printed
    assert "Issue: #1" in done.printed


def test_the_page_needs_nothing_else(done):
    page = (done.folder / "index.html").read_text()
    assert not re.search(r"<script|<link|https?://|url\(", page)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert page.count("<article>") == 9
    assert "[101, <mark>7592</mark>, 102]" in page
    assert "[101, <mark>7593</mark>, 102]" in page
    assert html.escape("unexpected keyword argument 'times'") in page
    assert page.count('<img src="data:image/png;base64,') == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_in_both_color_schemes(done, browser, scheme):
    page = browser.new_page(color_scheme=scheme, viewport={"width": 400, "height": 800})
    page.goto((done.folder / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    grounds = set()
    for selector in ("h4", ".kind", "pre", "mark"):
        colors = page.locator(selector).first.evaluate(COLORS)
        ground, ink = ([int(part) / 255 for part in re.findall(r"\d+", c)[:3]] for c in colors)
        assert contrast(ground, ink) >= 4.5, selector
        grounds.add(ground[0] > 0.5)
    page.close()
    assert (grounds == {True}) == (scheme == "light")


def test_the_lock_is_ready_to_commit(done, book, settings, capsys):
    """It is written as the old one is, and with it nothing is new."""
    lock = done.folder / "requirements.lock"
    assert lock.read_text() == (
        "finch==1.1\nheavy==1.0\nowl==1.1\nparrot==2.0\nWren==1.1\nyaffle==1.1\n"
    )
    again = book.with_name("upgraded")
    fake_releases.write_book(again)
    shutil.copy(lock, again / "requirements.lock")
    assert canary.main([], again) == 0
    assert "On the newest releases, no package changed." in capsys.readouterr().out


def test_no_environment_is_left_behind(done):
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "index.html",
        "requirements.lock",
    ]


def test_a_registry_out_of_reach_is_no_difference(settings, tmp_path, monkeypatch, capsys):
    fake_releases.write_book(tmp_path)
    report = tmp_path / "_build" / "canary" / "index.html"
    report.parent.mkdir(parents=True)
    report.write_text("of an earlier run")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    assert canary.main([], tmp_path) == 2
    assert not report.exists()
    said = capsys.readouterr()
    assert "uv pip install failed:\nerror: No solution found" in said.err
    assert "this says nothing about the new releases" in said.err
    assert not said.out


def test_a_chapter_that_is_not_there_is_refused(book, capsys):
    with pytest.raises(SystemExit) as stopped:
        canary.main(["7"], book)
    assert stopped.value.code == 2
    assert "expected the number of a chapter; got 7" in capsys.readouterr().err
