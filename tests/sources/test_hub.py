"""Downloading from the Hub over real HTTP, against a small stub of it on loopback."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import hub_contents
import hub_stub
import nbformat
import notebook_server
import pytest
from emptiness import by_cell, complaints
from notebook_server import SHORTER
from processes import run, start
from recorded import IDS

from helpers.sources.checkpoints import CHECKPOINTS
from helpers.sources.datasets import REPOSITORY, REVISION
from helpers.sources.hub import MODEL_FILES

pytestmark = pytest.mark.usefixtures("own_settings")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*/*/*.md"))

SENTIMENT = "distilbert-base-uncased-finetuned-sst-2-english"

TRY_TO_RESOLVE = """
import sys
from helpers.sources.checkpoints import CheckpointError, resolve
try:
    print("folder:", resolve(sys.argv[1]))
except (CheckpointError, ValueError) as error:
    print(f"error: {error}")
print("torch:", "torch" in sys.modules)
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, Path]:
    return hub_contents.make_originals(tmp_path_factory.mktemp("originals"))


@pytest.fixture(scope="module")
def hub(originals, tmp_path_factory):
    repositories = {
        CHECKPOINTS[name].repository: (CHECKPOINTS[name].revision, folder)
        for name, folder in originals.items()
    }
    # a few pairs: what is learned from them by models with random weights says nothing anyway.
    rows = {"train": 160, "validation": 64, "test": 64}
    mrpc = hub_contents.make_mrpc(tmp_path_factory.mktemp("mrpc"), rows=rows)
    repositories[REPOSITORY] = (REVISION, mrpc)
    with hub_stub.HubStub(repositories) as stub:
        yield stub


def ask(endpoint: str, **environment) -> tuple[str, str]:
    """Resolve bert-base-uncased on that Hub: the folder, or the error."""
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": endpoint, "HF_HUB_DOWNLOAD_TIMEOUT": "1"}
    status, out, err = run(TRY_TO_RESOLVE, "bert-base-uncased", **settings | environment)
    assert status == 0, err
    result, _, torch = out.partition("torch: ")
    assert torch == "False\n"
    return result.partition("folder: ")[2].strip(), result.partition("error: ")[2].strip()


def requested(hub: hub_stub.HubStub, behavior: str) -> set[str]:
    """Name the files that were downloaded."""
    seen = [r for r in hub.seen(behavior) if r.startswith("GET") and "/resolve/" in r]
    return {request.rpartition("/")[2] for request in seen}


@pytest.mark.parametrize("name", ["bert-base-uncased", SENTIMENT])
def test_hub_gives_the_original_and_then_its_cache_does(name, hub, originals, tmp_path):
    from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

    checkpoint = CHECKPOINTS[name]
    way = f"good-{len(name)}"
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint(way)}
    status, out, err = run(TRY_TO_RESOLVE, checkpoint.repository, **settings)
    assert status == 0, err
    assert out.splitlines()[:3] == [
        name,
        "  source: the Hugging Face Hub",
        f"  what:   the original, revision {checkpoint.revision[:8]}",
    ]
    folder = out.splitlines()[3].removeprefix("folder: ")
    assert str(tmp_path / "hf") in folder

    # Only weights that run no code, only text beside them, only at the pinned revision.
    wanted = {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    wanted |= {"tokenizer.json"} if name == "bert-base-uncased" else set()
    assert requested(hub, way) == wanted == {path.name for path in Path(folder).iterdir()}
    for request in hub.seen(way):
        path = request.partition(" ")[2].removeprefix("api/models/")
        assert path.startswith(
            tuple(
                f"{checkpoint.repository}/{way}/{checkpoint.revision}"
                for way in ("tree", "resolve")
            )
        )

    # Complete: the second time nothing is asked, whether a Hub is there or not.
    seen = len(hub.seen(way))
    assert folder in run(TRY_TO_RESOLVE, name, **settings)[1]
    assert len(hub.seen(way)) == seen
    settings["HF_ENDPOINT"] = closed_endpoint()
    assert folder in run(TRY_TO_RESOLVE, name, **settings)[1]
    assert folder in run(TRY_TO_RESOLVE, name, HF_HUB_OFFLINE="1", **settings)[1]

    head = AutoModel if name == "bert-base-uncased" else AutoModelForSequenceClassification
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer("I hate this so much!", return_tensors="pt")
    assert batch["input_ids"].tolist() == [IDS[1]]
    found = head.from_pretrained(folder)(**batch)[0]
    expected = head.from_pretrained(originals[name])(**batch)[0]
    assert (found == expected).all()


def closed_endpoint() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("behavior", "why"),
    [
        ("404", "it has no such repository (404)"),
        ("401", "access is denied (401): the repository is private, gated or not there"),
        ("403", "access is denied (403)"),
        ("gated", "the repository is gated (401). Ask for access on its page, and set HF_TOKEN"),
        ("crowded", "it answered 429, too many requests. Set HF_TOKEN"),
        ("no-revision", "it has no revision 86b5e0934494bd15c9632b12f734a8a67f723594 (404)"),
        ("500", "it answered 500"),
        ("stalled", "no answer within 1 s"),
        ("stalled-file", "no answer within 1 s"),
        ("cut", "the connection dropped while downloading"),
        ("short", "bytes, expected"),
        ("portal", "does this network want a login"),
        ("closed", "it can't be reached"),
    ],
)
def test_hub_that_fails(behavior, why, hub, tmp_path):
    endpoint = closed_endpoint() if behavior == "closed" else hub.endpoint(behavior)
    folder, error = ask(endpoint)
    assert folder == ""
    first, _, rest = error.partition("\n")
    assert first.startswith("Couldn't download google-bert/bert-base-uncased from the Hub: ")
    assert why in first
    assert "unset COURSE_SOURCE or set COURSE_SOURCE=bundled" in rest
    # By itself huggingface_hub asks some Hubs for minutes, or for ever.
    assert len(hub.seen(behavior)) <= 20


def test_weights_cut_off_by_a_hub_that_lies_about_their_length_stay_refused(hub):
    assert "model.safetensors has" in ask(hub.endpoint("short"))[1]
    folder, error = ask(closed_endpoint())
    assert folder == ""
    assert "Delete" in error
    shutil.rmtree(error.partition("Delete ")[2].partition(" and run this again")[0])
    assert Path(ask(hub.endpoint("good"))[0]).name == CHECKPOINTS["bert-base-uncased"].revision


def test_download_that_breaks_off_once_is_tried_again(hub, originals):
    folder, error = ask(hub.endpoint("hiccup"))
    assert error == ""
    found = Path(folder, "model.safetensors").read_bytes()
    assert found == (originals["bert-base-uncased"] / "model.safetensors").read_bytes()
    asked = [r for r in hub.seen("hiccup") if r.startswith("GET") and r.endswith(".safetensors")]
    assert len(asked) == 2


def test_download_goes_on_after_a_failure_without_asking_twice(hub):
    assert ask(hub.endpoint("cut"))[0] == ""
    first = requested(hub, "cut")
    assert "vocab.txt" in first
    assert ask(hub.endpoint("second"))[1] == ""
    assert requested(hub, "second") == {"model.safetensors"}


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_a_file_whose_bytes_are_wrong_is_refused_until_it_is_deleted(name, hub):
    """The length is right: of the download, or of a file that the disk has damaged since."""
    folder, error = ask(hub.endpoint(f"wrong-{name}"))
    assert folder == ""
    assert f"{name} is not the file that the Hub lists" in error
    assert ask(closed_endpoint())[1] == error  # now from the cache
    shutil.rmtree(error.partition("Delete ")[2].partition(" and run this again")[0])

    good = ask(hub.endpoint("good"))[0]
    path = Path(good, name).resolve()
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(hub_stub.flipped(data))
    assert f"{name} is not the file that the Hub lists" in ask(hub.endpoint("good"))[1]
    path.write_bytes(data)
    assert ask(hub.endpoint("good"), HF_HUB_OFFLINE="1")[0] == good


def test_a_hub_that_is_busy_is_asked_again_when_it_says(hub, tmp_path):
    assert ask(hub.endpoint("busy"))[1] == ""
    assert ask(hub.endpoint("limited"), HF_HOME=str(tmp_path / "other"))[1] == ""
    times = [at for at, (way, *_) in zip(hub.times, hub.requests, strict=True) if way == "limited"]
    assert times[1] - times[0] > 1  # its Retry-After


def test_a_token_raises_the_limit_and_one_that_is_refused_does_not_bar_the_way(hub, tmp_path):
    assert ask(hub.endpoint("crowded"), HF_TOKEN="hf_mine")[1] == ""
    assert "Bearer hf_mine" in hub.tokens
    assert ask(hub.endpoint("expired"), HF_TOKEN="hf_old")[1] == ""
    assert (
        "gated (403)"
        in ask(hub.endpoint("gated"), HF_TOKEN="hf_mine", HF_HOME=str(tmp_path / "other"))[1]
    )


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "abc"}, "HF_HUB_DOWNLOAD_TIMEOUT to be a whole number"),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "0.5"}, "HF_HUB_DOWNLOAD_TIMEOUT to be a whole number"),
        ({"HF_HUB_ETAG_TIMEOUT": ""}, "HF_HUB_ETAG_TIMEOUT to be a whole number"),
        ({"HF_ENDPOINT": ""}, "HF_ENDPOINT to be an address that starts with https://"),
        ({"HF_ENDPOINT": "huggingface.co"}, "HF_ENDPOINT to be an address"),
        ({"HF_ENDPOINT": "http://[bad"}, "HF_ENDPOINT to be an address"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": ""}, "pip install socksio"),
        ({"ALL_PROXY": "socks://127.0.0.1:9", "NO_PROXY": ""}, "the proxy in ALL_PROXY"),
        ({"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}, "it can't be reached"),
    ],
)
def test_a_setting_that_cannot_work_is_named(settings, why, hub):
    folder, error = ask(settings.pop("HF_ENDPOINT", hub.endpoint("good")), **settings)
    assert folder == ""
    assert why in error


def test_a_cache_that_cannot_be_written_is_named(hub, tmp_path):
    """HF_HOME is below a file, where not even root can make a folder."""
    (tmp_path / "file").touch()
    error = ask(hub.endpoint("good"), HF_HOME=str(tmp_path / "file" / "hf"))[1]
    assert error.startswith("Couldn't write google-bert/bert-base-uncased to the cache")
    assert str(tmp_path / "file" / "hf") in error
    assert "Not a directory" in error
    assert "set HF_HOME" in error
    assert "network" not in error


def test_a_full_disk_is_named(hub):
    code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint("good")}
    status, out, err = run(code + TRY_TO_RESOLVE, "bert-base-uncased", **settings)
    assert status == 0, err
    assert "error: Couldn't write google-bert/bert-base-uncased to the cache" in out
    assert "File too large" in out
    assert "set HF_HOME" in out


def start_download(endpoint: str, code: str = "", **environment):
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": endpoint} | environment
    return start(code + TRY_TO_RESOLVE, "bert-base-uncased", **settings)


def wait_for_request(hub: hub_stub.HubStub, behavior: str, end: str) -> None:
    limit = time.monotonic() + 60
    while not any(r.startswith("GET") and r.endswith(end) for r in hub.seen(behavior)):
        assert time.monotonic() < limit, hub.seen(behavior)
        time.sleep(0.05)


def test_ctrl_c_ends_a_slow_download(hub):
    """The stub sends ten bytes a second: it would go on for weeks."""
    process = start_download(hub.endpoint("slow"))
    wait_for_request(hub, "slow", "model.safetensors")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert err.rstrip().endswith("KeyboardInterrupt")


def test_waiting_for_another_process_is_announced(hub):
    """The library says so every ten seconds; here, more often."""
    often = "from huggingface_hub import constants\nconstants.FILELOCK_LOG_EVERY_SECONDS = 0.2\n"
    first = start_download(hub.endpoint("slow-first"))
    wait_for_request(hub, "slow-first", "model.safetensors")
    second = start_download(hub.endpoint("good"), often)
    try:
        line = ""
        while "Still waiting to acquire lock" not in line:
            line = second.stderr.readline()
            assert line, "it ended without a word"
    finally:
        for process in (first, second):
            process.kill()
            process.communicate(timeout=30)


def test_a_large_file_shows_its_progress_and_a_small_one_does_not(hub):
    """Bars are shown in notebooks and terminals; TQDM_POSITION=-1 shows them everywhere."""
    process = start_download(hub.endpoint("good"), TQDM_POSITION="-1")
    _, err = process.communicate(timeout=60)
    assert "model.safetensors: 100%" in err
    assert "vocab.txt" not in err
    assert "config.json" not in err


def test_a_cache_without_a_list_of_files_is_used_offline(hub, tmp_path):
    """One that an older huggingface_hub has filled, or that was copied without hidden files."""
    folder = Path(ask(hub.endpoint("good"))[0])
    shutil.rmtree(folder.parents[1] / "trees")
    assert ask(hub.endpoint("good"), HF_HUB_OFFLINE="1")[0] == str(folder)
    assert ask(closed_endpoint())[0] == str(folder)
    assert ask(hub.endpoint("good"))[0] == str(folder)  # and the list is there again
    (folder / "vocab.txt").unlink()
    assert "HF_HUB_OFFLINE is set" in ask(closed_endpoint(), HF_HUB_OFFLINE="1")[1]


def test_offline_without_a_cache(hub):
    error = ask(hub.endpoint("good"), HF_HUB_OFFLINE="1")[1]
    assert "HF_HUB_OFFLINE is set" in error


def test_settings_of_huggingface_hub_are_put_back(hub):
    code = """
from huggingface_hub import constants, get_session, logging
def state():
    return (constants.HF_HUB_DISABLE_XET, constants.HF_HUB_DISABLE_TELEMETRY,
            get_session().event_hooks, logging.get_verbosity())
before = state()
from helpers.sources.checkpoints import CheckpointError, resolve
try:
    resolve("bert-base-uncased")
except CheckpointError:
    print(before == state(), before[0])
"""
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint("404")}
    _, out, err = run(code, **settings)
    assert out.endswith("True False\n"), err


def test_what_the_hub_is_asked_for_holds_no_code():
    assert {Path(name).suffix for name in MODEL_FILES} == {
        ".json",
        ".safetensors",
        ".txt",
    }
    assert not any(sign in name for name in MODEL_FILES for sign in "*?[")


def test_each_part_that_is_shortened_is_in_one_notebook():
    cells = [cell.source for path in NOTEBOOKS for cell in code_of(path)]
    assert [sum(part in source for source in cells) for part in SHORTER] == [1] * len(SHORTER)


def code_of(path):
    """Give the code cells of a notebook."""
    stored = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    return [cell for cell in stored.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def server(hub, tmp_path_factory):
    """Run notebooks with COURSE_SOURCE=hub; see the module of that name."""
    folder = tmp_path_factory.mktemp("notebooks")
    settings = {
        "COURSE_SOURCE": "hub",
        "HF_ENDPOINT": hub.endpoint("good"),
        "HF_HOME": str(folder / "hf"),
        "COURSE_CACHE": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
    }
    environment = {name: os.environ[name] for name in os.environ if name != "HF_HUB_OFFLINE"}
    with subprocess.Popen(
        [sys.executable, notebook_server.__file__],
        env=environment | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_on_the_originals_too(path, server):
    """A reader with a network sets COURSE_SOURCE=hub: every cell still works and shows something.

    The pairs aren't the book's, and the models neither.
    """
    print(path, file=server.stdin, flush=True)
    status, *files = server.stdout.readline().split()
    printed, errors = (Path(file).read_text() for file in files)
    for file in files:
        Path(file).unlink()
    assert status == "0", printed[-3000:] + errors[-3000:]
    text = path.read_text()
    loads = re.search(r"\b(?:resolve|load_dataset)\(", text) is not None
    assert ("source: the Hugging Face Hub" in printed) is loads
    # a section about the book's own pairs or encoder asks for them by name, and gets nothing else
    assert printed.count("bundled with the book") == text.count('source="bundled"')
    asked = len(re.findall(r'\bload_dataset\([^)]*source="bundled"', text))
    assert printed.count("what:   the book's own paraphrase corpus") == asked
    cells = nbformat.read(path.with_suffix(".ipynb"), as_version=4).cells
    printed, errors = by_cell(printed), by_cell(errors)
    assert list(printed) == [n for n, cell in enumerate(cells) if cell.cell_type == "code"]
    reported = [n for n in printed if "LOAD REPORT" in errors[n]]
    assert all("load report" in cells[n + 1].source for n in reported), (
        "a report that the next cell doesn't explain, with a path of the reader's"
    )
    shorter = [n for n in printed if any(part in cells[n].source for part in SHORTER)]
    found = [complaints(cells[n], printed[n], errors[n]) for n in printed if n not in shorter]
    assert not any(found), "\n".join(complaint for some in found for complaint in some)
