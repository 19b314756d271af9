"""From a name to a folder: what is printed, what is kept, what goes wrong and how it ends.

What has to do with processes, disks and networks runs in processes of its own, on a real disk and
over real HTTP. Where a test is about the cache and not about the model, a checkpoint whose "build"
writes three small files stands in the table, so that no process has to import torch.
"""

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import hub_stub
import pytest

from helpers import checkpoints
from helpers.checkpoints import CHECKPOINTS, CheckpointError, cache_folder, resolve

SENTIMENT = "distilbert-base-uncased-finetuned-sst-2-english"

SENTIMENT_PRINTS = f"""\
{SENTIMENT}: a bundled stand-in, its numbers are not the original's
It is MiniLM in the DistilBERT architecture, with a sentiment head of this book.
For the original, set COURSE_SOURCE=hub before you start Python.
"""

# In a process of its own: `resolve` with the adapter of these tests.
USE_ADAPTER = """
import dataclasses, sys
from pathlib import Path
from helpers import checkpoints
name, adapter = sys.argv[1:3]
entry = dataclasses.replace(checkpoints.CHECKPOINTS[name], adapter=Path(adapter))
checkpoints.CHECKPOINTS[name] = entry
"""

# In a process of its own: a checkpoint that is built quickly, in the manner that the test wants.
USE_SMALL = """
import os, sys, time
from pathlib import Path
from helpers import checkpoints
work, adapter = map(Path, sys.argv[1:3])

def build(folder, adapter):
    with (work / "builds").open("a") as log:
        log.write("built\\n")
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(100_000))
    during(folder)
    (folder / "vocab.txt").write_text("[PAD]")

def during(folder):
    pass

def resolve():
    entry = checkpoints.Checkpoint("of/small", "0" * 40, "small", build, adapter)
    checkpoints.CHECKPOINTS["small"] = entry
    return checkpoints.resolve("small")
"""


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> Path:
    return hub_stub.make_adapter(tmp_path_factory.mktemp("adapter"))


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """Nothing of the machine's own settings reaches a test, and nothing of a test the machine."""
    for name in ("COURSE_SOURCE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def small(adapter, monkeypatch) -> list[Path]:
    """Put a small checkpoint into the table; the list grows by the folder of each build."""
    builds = []

    def build(folder: Path, adapter: Path) -> None:
        builds.append(folder)
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            (folder / name).write_text(name * 1000)

    entry = checkpoints.Checkpoint("of/small", "0" * 40, "small", build, adapter)
    monkeypatch.setitem(CHECKPOINTS, "small", entry)
    return builds


def start(code: str, *arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments, **environment) -> tuple[int, str, str]:
    process = start(code, *arguments, **environment)
    out, err = process.communicate(timeout=90)
    return process.returncode, out, err


def wait_for(path: Path, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def folders(cache: Path | None = None) -> list[Path]:
    return sorted(path for path in (cache or cache_folder()).iterdir() if path.is_dir())


# Names and sources


def test_import_is_light():
    code = """
import sys, helpers.checkpoints
heavy = ("torch", "transformers", "huggingface_hub", "peft", "numpy", "safetensors", "tqdm")
print([name for name in heavy if name in sys.modules])
"""
    assert run(code) == (0, "[]\n", "")


@pytest.mark.parametrize("name", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_bundled_encoder(name, capfd):
    assert resolve(name) == str(checkpoints.encoder_folder())
    out, err = capfd.readouterr()
    assert out == (
        "bert-base-uncased: a bundled stand-in, its numbers are not the original's\n"
        "It is MiniLM, a BERT encoder with 6 layers of width 384 and the original's vocabulary.\n"
        "For the original, set COURSE_SOURCE=hub before you start Python.\n"
    )
    assert err == ""


def test_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'bert-base-uncased'") as caught:
        resolve("bert-base-uncasd")
    for name in CHECKPOINTS:
        assert repr(name) in str(caught.value)
    assert "'bert-base-uncasd'" in str(caught.value)


def test_name_that_is_near_to_none_gets_no_guess():
    with pytest.raises(ValueError, match="from_pretrained directly") as caught:
        resolve("xyz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", [None, 3, Path("bert-base-uncased")])
def test_name_that_is_no_string(name):
    with pytest.raises(TypeError, match=f"a str; got {type(name).__name__}"):
        resolve(name)


@pytest.mark.parametrize("source", ["Hub", "internet"])
def test_unknown_source(source, monkeypatch):
    with pytest.raises(ValueError, match=f"source to be 'bundled' or 'hub', got '{source}'"):
        resolve("bert-base-uncased", source=source)
    monkeypatch.setenv("COURSE_SOURCE", source)
    with pytest.raises(ValueError, match=f"COURSE_SOURCE to be .* got '{source}'.*no network"):
        resolve("bert-base-uncased")
    resolve("bert-base-uncased", source="bundled")  # what a call says counts more


def test_empty_source_means_bundled(monkeypatch):
    monkeypatch.setenv("COURSE_SOURCE", "")
    assert resolve("bert-base-uncased") == str(checkpoints.encoder_folder())


def test_revisions_are_commits():
    for checkpoint in CHECKPOINTS.values():
        assert len(bytes.fromhex(checkpoint.revision)) == 20


# The real stand-in


@pytest.fixture(scope="module")
def real_build(adapter, tmp_path_factory) -> tuple[Path, str, str]:
    """Resolve the sentiment stand-in for the first time, in a process of its own."""
    cache = tmp_path_factory.mktemp("real")
    code = USE_ADAPTER + "folder = checkpoints.resolve(name)\nprint(folder)"
    status, out, err = run(code, SENTIMENT, adapter, COURSE_CACHE=str(cache))
    assert status == 0, err
    return cache, out, err


def test_first_and_second_resolve_print_the_same_and_build_once(
    real_build, adapter, monkeypatch, capfd
):
    cache, first_out, first_err = real_build
    folder = Path(first_out.splitlines()[-1])
    assert first_out == SENTIMENT_PRINTS + f"{folder}\n"
    assert first_err == ""  # no warning and no bar: a cached stand-in would show none

    files = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert len(files) == 5
    monkeypatch.setenv("COURSE_CACHE", str(cache))
    entry = dataclasses.replace(CHECKPOINTS[SENTIMENT], adapter=adapter)
    monkeypatch.setitem(CHECKPOINTS, SENTIMENT, entry)
    assert resolve(f"distilbert/{SENTIMENT}") == str(folder)
    assert capfd.readouterr() == (SENTIMENT_PRINTS, "")
    assert {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()} == files
    assert folders(folder.parent) == [folder]


def test_the_stand_in_loads_and_others_may_read_it(real_build):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = real_build[1].splitlines()[-1]
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert type(model).__name__ == "DistilBertForSequenceClassification"
    assert tuple(model(**tokenizer("I hate this!", return_tensors="pt")).logits.shape) == (1, 2)
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o444 == 0o444 for path in Path(folder).iterdir())


def test_full_disk_while_the_weights_are_written(adapter):
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))
"""
    code += USE_ADAPTER + "checkpoints.resolve(name)"
    status, _, err = run(code, SENTIMENT, adapter)
    assert status == 1
    assert "CheckpointError: The stand-in could not be written to" in err
    assert str(cache_folder()) in err
    assert "File too large" in err
    assert "COURSE_CACHE" in err
    assert folders() == []


# The cache


def test_second_resolve_does_not_build(small):
    first = resolve("small")
    assert resolve("small") == first
    assert len(small) == 1
    assert folders() == [Path(first)]


def test_another_adapter_never_meets_the_old_folder(small, tmp_path, monkeypatch):
    first = resolve("small")
    other = hub_stub.make_adapter(tmp_path, seed=1)
    entry = dataclasses.replace(CHECKPOINTS["small"], adapter=other)
    monkeypatch.setitem(CHECKPOINTS, "small", entry)
    assert resolve("small") != first
    monkeypatch.setattr(checkpoints, "RECIPE", checkpoints.RECIPE + 1)
    resolve("small")
    assert len(small) == len(folders()) == 3


def shorten(folder: Path) -> None:
    os.truncate(folder / "model.safetensors", 500)


def flip_a_bit(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[700] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def lose_a_file(folder: Path) -> None:
    (folder / "vocab.txt").unlink()


def lose_the_manifest(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()


def empty_the_manifest(folder: Path) -> None:
    os.truncate(folder / "SHA256SUMS", 0)


@pytest.mark.parametrize(
    "damage", [shorten, flip_a_bit, lose_a_file, lose_the_manifest, empty_the_manifest]
)
def test_damaged_folder_is_noticed_and_built_again(damage, small):
    folder = Path(resolve("small"))
    good = {path.name: path.read_bytes() for path in folder.iterdir()}
    damage(folder)
    assert resolve("small") == str(folder)
    assert len(small) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == good
    assert folders() == [folder]


def test_two_processes_at_once_build_once(adapter, tmp_path):
    code = """
def during(folder):
    end = time.monotonic() + 30
    while len(list(work.glob("started-*"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.5)  # the other one has started: time to come to the lock

(work / f"started-{os.getpid()}").touch()
print(resolve())
"""
    both = [start(USE_SMALL + code, tmp_path, adapter) for _ in range(2)]
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert ends[0] == ends[1]
    assert (tmp_path / "builds").read_text() == "built\n"
    folder = Path(ends[0][0].splitlines()[-1])
    assert folders() == [folder]
    assert len(list(folder.iterdir())) == 4


def test_killed_build_leaves_nothing_that_is_loaded(adapter, tmp_path):
    code = """
def during(folder):
    (work / "half").touch()
    time.sleep(60)

resolve()
"""
    process = start(USE_SMALL + code, tmp_path, adapter)
    wait_for(tmp_path / "half")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    (left,) = folders()
    assert ".tmp-" in left.name
    assert (left / "model.safetensors").exists()

    status, out, err = run(USE_SMALL + "print(resolve())", tmp_path, adapter)
    assert status == 0, err
    assert folders() == [Path(out.splitlines()[-1])]
    assert ".tmp-" not in folders()[0].name
    assert (tmp_path / "builds").read_text() == "built\n" * 2


def test_full_disk_leaves_nothing_and_the_next_run_succeeds(adapter, tmp_path):
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
resolve()
"""
    status, _, err = run(USE_SMALL + code, tmp_path, adapter)
    assert status == 1
    assert "CheckpointError: The stand-in could not be written to" in err
    assert folders() == []
    assert run(USE_SMALL + "resolve()", tmp_path, adapter)[0] == 0
    assert len(folders()) == 1


def test_failed_build_leaves_nothing(small, monkeypatch):
    def build(folder: Path, adapter: Path) -> None:
        (folder / "model.safetensors").write_text("half")
        raise KeyboardInterrupt

    entry = dataclasses.replace(CHECKPOINTS["small"], build=build)
    monkeypatch.setitem(CHECKPOINTS, "small", entry)
    with pytest.raises(KeyboardInterrupt):
        resolve("small")
    assert folders() == []


def test_cache_that_cannot_be_made(small, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(CheckpointError, match="COURSE_CACHE") as caught:
        resolve("small")
    assert str(cache_folder()) in str(caught.value)
    assert "Not a directory" in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_read_only_cache(small, tmp_path):
    (tmp_path / "cache").mkdir(mode=0o555)
    with pytest.raises(CheckpointError, match=r"Permission denied.*COURSE_CACHE"):
        resolve("small")


def test_cache_folders_of_the_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    ours = "transformers-course-book"
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / ".cache" / ours
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / ours
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / ours
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / ours


# The Hub

TRY_TO_RESOLVE = """
import sys, time
from helpers.checkpoints import CheckpointError, resolve
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
def hub(originals):
    repositories = {
        CHECKPOINTS[name].repository: (CHECKPOINTS[name].revision, folder)
        for name, folder in originals.items()
    }
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
    assert out.splitlines()[:2] == [
        f"{name}: the original, from the Hugging Face Hub",
        f"It is {checkpoint.repository} at revision {checkpoint.revision[:8]}.",
    ]
    folder = out.splitlines()[2].removeprefix("folder: ")
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
    assert batch["input_ids"].tolist() == [[2, 5, 6, 7, 8, 9, 10, 3]]
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
from helpers.checkpoints import CheckpointError, resolve
try:
    resolve("bert-base-uncased")
except CheckpointError:
    print(before == state(), before[3])
"""
    settings = {"COURSE_SOURCE": "hub", "HF_ENDPOINT": hub.endpoint("404")}
    _, out, err = run(code, **settings)
    assert out.endswith("True method\n"), err


def test_what_the_hub_is_asked_for_holds_no_code():
    assert {Path(name).suffix for name in checkpoints.HUB_FILES} == {
        ".json",
        ".safetensors",
        ".txt",
    }
    assert not any(sign in name for name in checkpoints.HUB_FILES for sign in "*?[")
