"""A class on one machine: many users, one read-only installation, one cache for the stand-ins."""

import os
import subprocess
import sys
import zipfile

import pytest
from elsewhere import people

from helpers.sources.checkpoints import CHECKPOINTS
from tools.wheel import build_wheel

# What the first notebooks do with the stand-ins. Prints the folders, and the mode of each file.
RESOLVE = """
import sys
from contextlib import redirect_stdout
from pathlib import Path
from transformers import AutoTokenizer
from transformers.utils import logging
from helpers.sources import resolve

logging.disable_progress_bar()
for name in sys.argv[1:]:
    with redirect_stdout(sys.stderr):
        folder = resolve(name)
    assert len(AutoTokenizer.from_pretrained(folder)("a")["input_ids"]) > 1
    print(folder, Path(folder, "model.safetensors").stat().st_ino)
"""
NAMES = [name for name, checkpoint in CHECKPOINTS.items() if checkpoint.adapter]


@pytest.fixture(scope="module")
def room():
    """Two students, and an installation that belongs to root."""
    with people(2) as room:
        installation = room.folder / "installation"
        zipfile.ZipFile(build_wheel(room.folder)).extractall(installation)
        room.path = os.pathsep.join([str(installation), str(room.libraries)])
        yield room


def resolve_at_once(room, cache, umask, names=NAMES, **environment):
    """Let both students resolve some names at the same time, each in another order."""
    environment |= {"PYTHONPATH": room.path, "COURSE_CACHE": str(cache), "PYTHONSAFEPATH": "1"}
    both = [
        person.start(person.python, "-c", RESOLVE, *own, umask=umask, **environment)
        for person, own in zip(room.users, (names, names[::-1]), strict=True)
    ]
    ends = [process.communicate(timeout=300) for process in both]
    for process, (_, err) in zip(both, ends, strict=True):
        assert process.returncode == 0, err[-3000:]
    return [sorted(out.splitlines()) for out, _ in ends]


@pytest.mark.parametrize(("umask", "names"), [(0o022, NAMES), (0o077, NAMES[:1])])
def test_students_fill_a_cold_cache_together(room, umask, names):
    """Each stand-in is built once, by whoever needs it first; with private files, too."""
    cache = room.folder / f"open-to-all-{umask:o}"
    cache.mkdir()
    cache.chmod(0o1777)
    one, other = resolve_at_once(room, cache, umask, names)
    assert one == other
    assert len({line.split()[0] for line in one}) == len(names)
    (ours,) = cache.iterdir()
    assert len([path for path in ours.iterdir() if path.is_dir()]) == len(names)


def test_students_use_a_cache_that_the_teacher_has_filled(room):
    """They can't write to it, one has no home, and the teacher keeps her own files private."""
    cache = room.folder / "teachers"
    cache.mkdir(mode=0o755)
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE, NAMES[0]],
        env=os.environ | {"COURSE_CACHE": str(cache)},
        umask=0o077,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    before = sorted(cache.rglob("*"))
    one, other = resolve_at_once(room, cache, 0o022, NAMES[:1], HOME="/nonexistent")
    assert one == other == sorted(done.stdout.splitlines())
    assert sorted(cache.rglob("*")) == before


def test_students_are_told_what_is_missing_in_the_teachers_cache(room):
    cache = room.folder / "cold"
    cache.mkdir(mode=0o755)
    environment = {"PYTHONPATH": room.path, "COURSE_CACHE": str(cache)}
    student = room.users[0]
    process = student.start(student.python, "-c", RESOLVE, NAMES[0], **environment)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert f"Couldn't write the stand-in to {cache}" in err
    assert "COURSE_CACHE to a folder that you may write to" in err
