"""The way to the Hub over real HTTP, against a small stub of it on loopback."""

import json
import shutil
import socket
from pathlib import Path

import hub_stub
import pytest
from processes import run
from recorded import IDS

from helpers.sources.checkpoints import CHECKPOINTS
from helpers.sources.datasets import REPOSITORY, REVISION
from helpers.sources.hub import HUB_FILES

pytestmark = pytest.mark.usefixtures("own_settings")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*/*/*.md"))

SENTIMENT = "distilbert-base-uncased-finetuned-sst-2-english"

TRY_TO_RESOLVE = """
import sys, time
from helpers.sources.checkpoints import CheckpointError, resolve
start = time.monotonic()
try:
    print("folder:", resolve(sys.argv[1]))
except CheckpointError as error:
    print(f"error: {error}")
print(f"seconds: {time.monotonic() - start:.1f}")
print("torch:", "torch" in sys.modules)
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, Path]:
    return hub_stub.make_originals(tmp_path_factory.mktemp("originals"))


@pytest.fixture(scope="module")
def hub(originals, tmp_path_factory):
    repositories = {
        CHECKPOINTS[name].repository: (CHECKPOINTS[name].revision, folder)
        for name, folder in originals.items()
    }
    # a few pairs: what is learned from them by models with random weights says nothing anyway.
    # In batches of 16 these make the 20 steps that 3-3 compares with the Trainer's.
    rows = {"train": 160, "validation": 64, "test": 64}
    mrpc = hub_stub.make_mrpc(tmp_path_factory.mktemp("mrpc"), rows=rows)
    repositories[REPOSITORY] = (REVISION, mrpc)
    with hub_stub.HubStub(repositories) as stub:
        yield stub


def ask(endpoint: str, **environment) -> tuple[str, str, float]:
    """Resolve bert-base-uncased on that Hub: the folder or the error, and the seconds it took."""
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": endpoint, "HF_HUB_DOWNLOAD_TIMEOUT": "1"}
    status, out, err = run(TRY_TO_RESOLVE, "bert-base-uncased", **settings | environment)
    assert status == 0, err
    result, _, tail = out.partition("seconds: ")
    seconds, torch = tail.splitlines()
    assert torch == "torch: False"
    folder = result.partition("folder: ")[2].strip()
    error = result.partition("error: ")[2].strip()
    return folder, error, float(seconds)


def requested(hub: hub_stub.HubStub, behaviour: str) -> set[str]:
    return {request.rpartition("/")[2] for request in hub.seen(behaviour) if "/resolve/" in request}


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
    ("behaviour", "why"),
    [
        ("404", "it has no such repository (404)"),
        ("no-revision", "it has no revision 86b5e0934494bd15c9632b12f734a8a67f723594 (404)"),
        ("500", "it answered 500"),
        ("stalled", "no answer within 1 s"),
        ("stalled-file", "its answer broke off, twice"),
        ("cut", "its answer broke off"),
        ("short", "bytes, expected"),
        ("portal", "does this network want a login"),
        ("closed", "it can't be reached"),
    ],
)
def test_hub_that_fails(behaviour, why, hub, tmp_path):
    endpoint = closed_endpoint() if behaviour == "closed" else hub.endpoint(behaviour)
    folder, error, seconds = ask(endpoint)
    assert folder == ""
    first, _, rest = error.partition("\n")
    assert first.startswith("google-bert/bert-base-uncased could not be had from the Hub: ")
    assert why in first
    assert "unset COURSE_SOURCE or set COURSE_SOURCE=bundled" in rest
    assert seconds < 8  # by itself huggingface_hub goes on for half a minute, or for ever


def test_weights_cut_off_by_a_hub_that_lies_about_their_length_stay_refused(hub):
    assert "model.safetensors has" in ask(hub.endpoint("short"))[1]
    folder, error, _ = ask(closed_endpoint())
    assert folder == ""
    assert "Delete" in error
    shutil.rmtree(error.partition("Delete ")[2].partition(" and run this again")[0])
    assert Path(ask(hub.endpoint("good"))[0]).name == CHECKPOINTS["bert-base-uncased"].revision


def test_download_that_breaks_off_once_is_tried_again(hub, originals):
    folder, error, _ = ask(hub.endpoint("hiccup"))
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


def test_damaged_weights_in_the_cache_are_refused(hub, tmp_path):
    folder = Path(ask(hub.endpoint("good"))[0])
    weights = (folder / "model.safetensors").resolve()
    data = bytearray(weights.read_bytes())
    data[:8] = (10**6).to_bytes(8, "little")  # a header longer than the file; the length stays
    weights.chmod(0o644)
    weights.write_bytes(data)
    folder, error, _ = ask(hub.endpoint("good"))
    assert folder == ""
    assert "model.safetensors is damaged" in error


def test_offline_without_a_cache(hub):
    error = ask(hub.endpoint("good"), HF_HUB_OFFLINE="1")[1]
    assert "HF_HUB_OFFLINE is set" in error


def test_settings_of_huggingface_hub_are_put_back(hub):
    code = """
from huggingface_hub import constants
from huggingface_hub.utils import _http
def state():
    return (_http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET,
            constants.HF_HUB_DISABLE_TELEMETRY, type(_http.get_session().send).__name__)
before = state()
from helpers.sources.checkpoints import CheckpointError, resolve
try:
    resolve("bert-base-uncased")
except CheckpointError:
    print(before == state(), before[3])
"""
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint("404")}
    _, out, err = run(code, **settings)
    assert out.endswith("True method\n"), err


def test_what_the_hub_is_asked_for_holds_no_code():
    assert {Path(name).suffix for name in HUB_FILES} == {
        ".json",
        ".safetensors",
        ".txt",
    }
    assert not any(sign in name for name in HUB_FILES for sign in "*?[")


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_a_notebook_runs_on_the_originals_too(name, hub, runner, monkeypatch):
    """A reader with a network sets COURSE_SOURCE=hub, and every cell still works."""
    monkeypatch.setenv("COURSE_SOURCE", "hub")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint("good"))
    (source,) = [path for path in runner.sources() if path.name == name]

    notebook = runner.run(source)  # raises if a cell fails

    text = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "source: the Hugging Face Hub" in text
    assert "bundled with the book" not in text
