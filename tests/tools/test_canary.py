"""The parts of `make canary`: noise and kinds, the search for a culprit, sentences, issues."""

import configparser
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import fake_releases
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from repository import ROOT

from tools.canary import __main__ as command
from tools.canary import issues, watch
from tools.canary.comparing import Difference, Noise, compare
from tools.canary.culprit import search
from tools.canary.environments import Environment, InstallError
from tools.canary.reader import lost, passages, sentences
from tools.canary.report import Finding, Stage, page
from tools.canary.watch import changes, describe

OLD = Environment(Path("/envs/0"), {"parrot": "1.0", "torch": "2.13.0+cpu"})
NEW = Environment(Path("/envs/1"), {"parrot": "2.0rc1", "torch": "2.14.0"})
NOISE = Noise(OLD, NEW)
VIEW = "application/vnd.jupyter.widget-view+json"


def printing(text, stream="stdout"):
    return [new_output("stream", name=stream, text=text)]


def notebook(outputs, seconds=1.0, **metadata):
    """A notebook with one cell, which took some seconds."""
    times = {
        "iopub.execute_input": "2030-01-01T00:00:00.000000Z",
        "shell.execute_reply": f"2030-01-01T00:00:{seconds:09.6f}Z",
    }
    cell = new_code_cell("x", outputs=outputs, metadata={"execution": times, **metadata})
    return new_notebook(cells=[cell])


def kinds(old, new, **metadata):
    found = compare("1-1", notebook(old, **metadata), notebook(new), NOISE)
    return [kind for _, _, kind in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("parrot 1.0 is here", "parrot 2.0rc1 is here"),
        ('"torch_version": "2.13.0"', '"torch_version": "2.14.0"'),
        ("torch 2.13.0+cpu", "torch 2.14.0"),
        ("took 3.21 s", "took 14 s"),
        ("90%|##| 9/10 [00:01<00:03, 52.3it/s]", "90%|##| 9/10 [00:12<00:00, 7.1it/s]"),
        ("<f at 0x7f0012345678>", "<f at 0x7fffffffffff>"),
        ("/envs/0/lib/a.py:12: in f", "/envs/1/lib/a.py:345: in f"),
        ("/tmp/ipykernel_12/345.py:1: W", "/tmp/ipykernel_6/345.py:2: W"),
    ],
)
def test_noise_is_no_difference(old, new):
    assert kinds(printing(old), printing(new)) == []


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("wren 1.0", "wren 3.0", "number"),  # not the version of a package in both
        ("score 2.13", "score 2.14", "number"),
        ("1.0 of 1.0", "2.0 of 1.0", "number"),
        ("ids 101 7592", "ids 101 7593", "number"),
        ("22,713,216 parameters", "22,713,217 parameters", "number"),
        ("3 s", "3 m", "text"),
        ("POSITIVE", "NEGATIVE", "text"),
        ("[1, 2]", "[1, 2, 3]", "text"),
        ("0x7f", "0x80", "text"),
    ],
)
def test_what_is_no_noise_is_named(old, new, kind):
    assert kinds(printing(old), printing(new)) == [kind]


def test_what_nbval_replaces_is_noise():
    patterns = configparser.ConfigParser()
    patterns.read(ROOT / "tests" / "sanitize.cfg")
    assert patterns.sections() == ["addresses", "durations"]
    assert kinds(printing("0x01234567"), printing("0x76543210")) == []
    takes = "about {} on this machine"
    for other in ("3 minutes", "1.5 hours"):
        assert kinds(printing(takes.format("40 seconds")), printing(takes.format(other))) == []


def test_a_number_within_the_tolerance_of_its_cell_is_no_difference():
    old, new = printing("accuracy 0.81"), printing("accuracy 0.83")
    assert kinds(old, new, tolerance=0.03) == []
    assert kinds(old, new, tolerance=0.01) == ["number"]
    assert kinds(printing("0.86"), printing("0.89"), tolerance=0.03) == []  # at its end
    assert kinds(printing("0.86"), printing("0.90"), tolerance=0.03) == ["number"]
    assert kinds(printing("f1 0.81"), new, tolerance=0.03) == ["text"]


def test_an_error_and_a_warning_are_named_and_say_what_they_say():
    failing = [new_output("error", ename="TypeError", evalue="no beak", traceback=["line 3"])]
    found = compare("1-1", notebook(printing("1")), notebook(failing), NOISE)
    assert [(place, one.detail) for place, one in found.items()] == [
        (("1-1", 1, "error"), "TypeError: no beak")
    ]
    elsewhere = [new_output("error", ename="TypeError", evalue="no beak", traceback=["line 4"])]
    assert kinds(failing, elsewhere) == []
    assert kinds(failing, printing("1")) == ["error"]
    assert kinds(printing("1"), printing("1") + printing("old!", "stderr")) == ["warning"]


def test_what_is_not_shown_any_more_is_missing():
    html = [new_output("display_data", {"text/html": "<b>bold</b>", "text/plain": "<HTML>"})]
    assert kinds(printing("1"), []) == ["missing"]
    assert kinds(html, []) == ["missing"]
    assert kinds(html, html) == []


def test_html_is_compared_as_words_and_else_as_a_picture():
    def html(text):
        return [new_output("display_data", {"text/html": text, "text/plain": f"<at {text}>"})]

    bar = '<style>b {{}}</style><span style="width: {}%">BERT</span>'
    assert kinds(html(bar.format(20)), html(bar.format(20))) == []
    assert kinds(html(bar.format(20)), html(bar.format(30))) == ["picture"]
    assert kinds(html(bar.format(20)), html(bar.format(20).replace("BERT", "GPT"))) == ["text"]


def test_a_widget_is_compared_without_its_random_ids_and_its_protocol():
    def widget(first, second, value, version="2.0"):
        states = {
            first: {"state": {"children": [f"IPY_MODEL_{second}"], "_view_module_version": "1"}},
            second: {"state": {"value": value, "_model_module_version": version}},
            "f" * 32: {"state": {"value": value + 1}},  # of another cell
        }
        one = notebook([new_output("display_data", {VIEW: {"model_id": first}})])
        one.metadata["widgets"] = nbformat.from_dict({"state+json": {"state": states}})
        return one

    def found(*others):
        return [k for _, _, k in compare("1-1", widget("a" * 32, "b" * 32, 3), *others, NOISE)]

    assert found(widget("d" * 32, "c" * 32, 3, version="3.0")) == []
    assert found(widget("d" * 32, "c" * 32, 4)) == ["widget"]


@pytest.mark.parametrize(
    ("old", "new", "slower"),
    [(2, 4, True), (2, 2.9, False), (0.1, 0.9, False), (4, 2, False), (10, 14, False)],
)
def test_a_cell_is_slower_from_one_and_a_half_times_on_if_a_reader_can_tell(old, new, slower):
    found = compare("1-1", notebook([], seconds=old), notebook([], seconds=new), NOISE)
    assert [kind for _, _, kind in found] == ["time"] * slower


# The culprit


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_each_culprit_is_found_by_halves(count):
    """The oracle is a list: which difference appears with which upgrade."""
    appears = {f"difference {i}": i for i in range(1, count + 1)}
    asked = []

    def seen(upgraded, wanted):
        asked.append(upgraded)
        return {one for one in wanted if appears[one] <= upgraded}

    one = f"difference {(count + 1) // 2}"
    assert search({one}, count, seen) == {one: (appears[one] - 1, appears[one])}
    assert len(asked) <= count.bit_length()
    assert search(appears.keys(), count, seen) == {d: (i - 1, i) for d, i in appears.items()}


def test_a_difference_that_needs_two_upgrades_is_the_second_ones():
    found = search({"d"}, 8, lambda upgraded, wanted: wanted if upgraded >= 6 else set())
    assert found == {"d": (5, 6)}


def test_what_cannot_be_installed_leaves_a_range():
    def seen(upgraded, wanted):
        if upgraded in (5, 6):
            raise InstallError("no such wheel")
        return wanted if upgraded >= 6 else set()

    low, high = search({"d"}, 8, seen)["d"]
    assert low < 6 <= high


def test_upgrades_are_described_with_what_came_and_went():
    old, new = {"a": "1", "b": "2", "c": "3", "t": "2.0+cpu"}, {"a": "1", "b": "4", "d": "5"}
    steps = changes(old, new | {"t": "2.0"})
    assert describe(steps) == "b 2 → 4, c 3 → none, d none → 5"


def test_what_differs_only_once_is_chance(monkeypatch, capsys):
    """A second run is of the notebooks that differed, and of no others."""
    cell = new_code_cell("x", outputs=printing("1"))

    def finding(number):
        place = ("2-3", number, "time")
        return place, Finding(place, Difference("time", "1.0 s → 3.0 s", cell, cell), [])

    runs = [dict([finding(1), finding(2)]), dict([finding(2), finding(3)])]
    asked = []

    def differences(book, old, new, names=None):
        asked.append(names)
        return runs.pop(0)

    def culprits(book, found, *rest):
        return dict.fromkeys(found, "parrot 1.0 → 2.0rc1")

    monkeypatch.setattr(watch, "differences", differences)
    monkeypatch.setattr(watch, "culprits", culprits)
    stage = watch.step(None, OLD, NEW, *[watch.Release(name, None) for name in ("old", "new")])
    assert [one.place[1] for one in stage.findings] == [2]
    assert asked == [None, {"2-3"}]
    assert "Seen once: cell 1 of 2-3: time: 1.0 s → 3.0 s" in capsys.readouterr().err


def test_a_new_environment_is_slow_only_once(monkeypatch, tmp_path):
    """A probe's first run doesn't decide about seconds: the culprit is `torch`, not `parrot`."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("parrot==1.0\ntorch==2.13.0\n")
    slow, wrong = ("2-3", 1, "time"), ("2-3", 2, "text")
    runs = [{slow, wrong}, set()]  # of the one probe
    monkeypatch.setattr(watch, "install", lambda *_: NEW)
    monkeypatch.setattr(watch, "differences", lambda *_: dict.fromkeys(runs.pop(0)))
    new = tmp_path / "new.lock"
    new.write_text("parrot==2.0rc1\ntorch==2.14.0\n")
    book = watch.Book(tmp_path, [], tmp_path)
    releases = [watch.Release("old", lock), watch.Release("new", new, ("--upgrade",))]

    def halfway(root, start, target, *options):
        assert options == ("--upgrade-package=parrot==2.0rc1",)
        target.write_text("parrot==2.0rc1\ntorch==2.13.0\n")
        return target

    monkeypatch.setattr(watch, "resolve", halfway)
    steps = changes(OLD.versions, NEW.versions)
    assert watch.culprits(book, {slow, wrong}, OLD, steps, *releases) == {
        slow: "torch 2.13.0 → 2.14.0",
        wrong: "parrot 1.0 → 2.0rc1",
    }


# The reader


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The score is 0.51, and more.", ("0.51",)),  # rounded from what was printed
        ("The score is 0.52.", ()),
        ("All 22,713 of them, or 7.", ("22,713",)),
        ("The label `POSITIVE` or NEGATIVE.", ("POSITIVE",)),
        ("It is positive.", ()),
        ("It is a `BertModel.config`.", ("BertModel.config",)),
    ],
)
def test_words_that_only_the_old_output_holds_are_found(text, found):
    before = "0.5123 22713 POSITIVE NEGATIVE BertModel.config 7"
    assert lost(text, before, "NEGATIVE 0.6") == found


def test_prose_is_cut_into_sentences():
    prose = "## Title\n\n:::{note}\nOne is 1.5. Two\nis `x`! Three?\n:::\n\n| a | b |\n- four"
    assert sentences(prose) == ["One is 1.5.", "Two is `x`!", "Three?", "| a | b |", "- four"]


def test_only_what_depends_on_the_cell_is_listed(tmp_path):
    cells = [
        new_markdown_cell("Far away, 512."),
        new_code_cell("a"),
        new_markdown_cell("Before: 512 is long. So is 600."),
        new_code_cell("b", outputs=printing("512 600")),
        new_markdown_cell("After it."),
        new_code_cell("c", outputs=printing("600")),
        new_markdown_cell(
            "## Try it yourself\n\n**1.** Why 512?\n\n**2.** Why 600?\n\n## End\n512"
        ),
    ]
    old, new = new_notebook(cells=cells), nbformat.from_dict(new_notebook(cells=cells))
    new.cells[3] = new_code_cell("b", outputs=printing("513 600"))
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "then-and-now.md").write_text("512\n\n| `f(512)` | x |\n| `g` | y |\n")
    difference = Difference("number", "", old.cells[3], new.cells[3])
    found = passages(tmp_path, old, new, difference)
    assert [(p.place, p.text) for p in found] == [
        ("sentence", "Before: 512 is long."),
        ("exercise 1", "Why 512?"),
        ("row of Then and now", "`f(512)` | x"),
    ]


# The page and the issues


def test_what_a_cell_shows_runs_nothing_and_reaches_nothing_on_the_page(browser, tmp_path):
    evil = (
        "<b id='shown'>words</b></template><style>h1 { display: none }</style>"
        "<script>document.title = 'run'</script><img src=x onerror='document.title = 1'>"
    )
    shown = [new_output("display_data", {"text/html": evil})]
    cell = new_code_cell("</pre><script>document.title = 2</script>", outputs=shown)
    finding = Finding(("2-3", 1, "text"), Difference("text", "<b>", cell, cell), [], "<i> 1 → 2")
    path = tmp_path / "index.html"
    path.write_text(page([Stage("the newest releases", {"<i>": ("1", "2")}, [finding])]))
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.title() == "What would an upgrade change?"
    assert tab.locator("h1").is_visible()
    assert tab.locator("#shown").first.is_visible()
    assert tab.locator("h3").inner_text() == "<i> 1 → 2"
    tab.close()


@pytest.fixture
def github(monkeypatch):
    """A GitHub on loopback, which keeps issues."""
    kept, calls = [], []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def answer(self):
            calls.append((self.command, self.path, self.headers["Authorization"]))
            size = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(size) or "null")
            if self.command == "GET":
                asked = parse_qs(urlsplit(self.path).query)
                open_ones = [one for one in kept if one["state"] == "open"]
                some = kept if asked.get("state") == ["all"] else open_ones
                some = [one for one in some if asked["labels"][0] in one["labels"]]
                start = (int(asked["page"][0]) - 1) * int(asked["per_page"][0])
                return self.reply(some[start : start + int(asked["per_page"][0])])
            if self.command == "POST":
                kept.append({"number": len(kept) + 1, "html_url": f"#{len(kept) + 1}"})
                kept[-1] |= {"state": "open"} | content
                return self.reply(kept[-1])
            number = int(self.path.rpartition("/")[2])
            kept[number - 1] |= content
            return self.reply(kept[number - 1])

        do_GET = do_POST = do_PATCH = answer  # noqa: N815

        def reply(self, content):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "somebody/book")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    yield SimpleNamespace(kept=kept, calls=calls)
    server.shutdown()
    server.server_close()


def publish(stages):
    return issues.publish(stages, "secret")


def stage(*culprits, detail="1 → 2"):
    cell = new_code_cell("x", outputs=printing("1"))
    findings = [
        Finding(("2-3", 12 + i, "number"), Difference("number", detail, cell, cell), [], culprit)
        for i, culprit in enumerate(culprits)
    ]
    return Stage("the newest releases", {"parrot": ("1.0", "2.0")}, findings)


def test_a_culprit_has_one_issue_which_is_updated(github):
    publish([stage("parrot 1.0 → 2.0", "wren 1.0 → 1.1", "parrot 1.0 → 2.0")])
    assert [one["title"] for one in github.kept] == [
        "parrot 1.0 → 2.0 would change 2 cells",
        "wren 1.0 → 1.1 would change 1 cell",
    ]
    assert "**cell 12 of 2-3**, number: ` 1 → 2 `" in github.kept[0]["body"]
    github.kept[1]["state"] = "closed"
    addresses = publish([stage("parrot 1.0 → 2.1", "wren 1.0 → 1.2", detail="1 → 3")])
    assert addresses == ["#1", "#2"]
    assert [one["state"] for one in github.kept] == ["open", "closed"]
    assert github.kept[0]["title"] == "parrot 1.0 → 2.1 would change 1 cell"
    assert "1 → 3" in github.kept[0]["body"]
    assert {token for _, _, token in github.calls} == {"Bearer secret"}
    assert all(path.startswith("/repos/somebody/book/issues") for _, path, _ in github.calls)


def test_the_next_upgrade_of_the_same_package_has_an_issue_of_its_own(github):
    publish([stage("parrot 1.0 → 2.0")])
    publish([stage("parrot 2.0 → 3.0")])
    assert len(github.kept) == 2


def test_what_a_library_prints_is_quoted_in_an_issue(github):
    publish([stage("parrot 1.0 → 2.0", detail="`@somebody` ```\n# look")])
    assert "```` `@somebody` ``` # look ````" in github.kept[0]["body"]


@pytest.mark.parametrize("name", ["GITHUB_ACTIONS", "GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_no_issue_is_written_elsewhere(github, monkeypatch, name):
    monkeypatch.delenv(name)
    assert issues.take_token() == ""


def test_a_github_that_refuses_does_not_hide_the_differences(tmp_path, monkeypatch, capsys, github):
    fake_releases.write_book(tmp_path)
    monkeypatch.setattr(command, "watch", lambda *_, **__: [stage("parrot 1.0 → 2.0")])
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")  # nothing listens there
    assert command.main([], tmp_path) == 1
    said = capsys.readouterr()
    assert "parrot 1.0 → 2.0 changes" in said.out
    assert "GitHub didn't take the issues: <urlopen error" in said.err


def test_new_releases_do_not_see_the_token(github):
    assert issues.take_token() == "secret"
    assert "secret" not in OLD.variables.values()
