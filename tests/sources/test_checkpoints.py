"""From a name to a folder: what is printed, what is cached, what goes wrong.

Tests of processes and disks run in processes of their own, on a real disk. Where a test is about
the cache and not about the model, building writes three small files, so that no process has to
import torch.
"""

import dataclasses
import os
import signal
import sys
import time
from pathlib import Path

import hub_contents
import pytest
from processes import run, run_code, run_loaded, start

from helpers.sources import checkpoints
from helpers.sources.checkpoints import CHECKPOINTS, CheckpointError, cache_folder, resolve

pytestmark = pytest.mark.usefixtures("own_settings")

SENTIMENT = "distilbert-base-uncased-finetuned-sst-2-english"

SENTIMENT_PRINTS = f"""\
{SENTIMENT}
  source: bundled with the book: a stand-in, not the original
  what:   all-MiniLM-L6-v2 as a DistilBERT, with a sentiment head of this book
  For the original, set COURSE_SOURCE=hub before you start Python.
"""

# In a process of its own: `resolve` with the adapter of these tests.
USE_ADAPTER = """
import dataclasses, sys
from pathlib import Path
from helpers.sources import checkpoints
name, adapter = sys.argv[1:3]
entry = dataclasses.replace(checkpoints.CHECKPOINTS[name], adapter=Path(adapter))
checkpoints.CHECKPOINTS[name] = entry
"""

# In a process of its own: a checkpoint that is built quickly, in the manner that the test wants.
USE_SMALL = """
import os, sys, time
from pathlib import Path
from helpers.sources import checkpoints
work, adapter = map(Path, sys.argv[1:3])

def build(base, folder, adapter):
    with (work / "builds").open("a") as log:
        log.write("built\\n")
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(100_000))
    during(folder)
    (folder / "vocab.txt").write_text("[PAD]")

def during(folder):
    pass

def resolve():
    checkpoints.build_standin = build
    entry = checkpoints.Checkpoint("of/small", "0" * 40, "small", print, adapter)
    checkpoints.CHECKPOINTS["small"] = entry
    return checkpoints.resolve("small")
"""


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> Path:
    return hub_contents.make_adapter(tmp_path_factory.mktemp("adapter"))


@pytest.fixture
def small(adapter, monkeypatch) -> list[Path]:
    """Put a small checkpoint into the table; the list grows by the folder of each build."""
    builds = []

    def build(base: object, folder: Path, adapter: Path) -> None:
        builds.append(folder)
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            (folder / name).write_text(name * 1000)

    monkeypatch.setattr(checkpoints, "build_standin", build)
    entry = checkpoints.Checkpoint("of/small", "0" * 40, "small", print, adapter)
    monkeypatch.setitem(CHECKPOINTS, "small", entry)
    return builds


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
import sys, helpers.sources.checkpoints
heavy = ("torch", "transformers", "huggingface_hub", "peft", "numpy", "safetensors", "tqdm")
print([name for name in heavy if name in sys.modules])
"""
    assert run(code) == (0, "[]\n", "")


@pytest.mark.parametrize("name", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_bundled_encoder(name, capfd):
    assert resolve(name) == str(checkpoints.encoder_folder())
    out, err = capfd.readouterr()
    assert out == (
        "bert-base-uncased\n"
        "  source: bundled with the book: a stand-in, not the original\n"
        "  what:   all-MiniLM-L6-v2, a BERT encoder with 6 layers instead of 12\n"
        "  For the original, set COURSE_SOURCE=hub before you start Python.\n"
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
    status, out, err = run_loaded(run_code, code, SENTIMENT, adapter, COURSE_CACHE=str(cache))
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
    cache = os.environ["COURSE_CACHE"]
    status, _, err = run_loaded(run_code, code, SENTIMENT, adapter, COURSE_CACHE=cache)
    assert status == 1
    assert "CheckpointError: Couldn't write the stand-in to" in err
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
    other = hub_contents.make_adapter(tmp_path, seed=1)
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
    assert list(left.rglob("model.safetensors"))

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
    assert "CheckpointError: Couldn't write the stand-in to" in err
    assert folders() == []
    assert run(USE_SMALL + "resolve()", tmp_path, adapter)[0] == 0
    assert len(folders()) == 1


def test_failed_build_leaves_nothing(small, monkeypatch):
    def build(base: object, folder: Path, adapter: Path) -> None:
        (folder / "model.safetensors").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "build_standin", build)
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks other variables")
@pytest.mark.parametrize("chosen", [None, "~/course"])
def test_no_home_folder_is_named(chosen, small, monkeypatch):
    """A container that runs as a user without a name has no HOME and no line in /etc/passwd."""
    import pwd

    def unknown(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "COURSE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if chosen:
        monkeypatch.setenv("COURSE_CACHE", chosen)
    with pytest.raises(CheckpointError, match=r"home folder.*Set COURSE_CACHE to a folder"):
        resolve("small")
    resolve("bert-base-uncased")  # needs no cache
