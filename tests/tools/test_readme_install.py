"""The README's lines for people without make: typed as they stand, in a fresh clone.

An installation takes a minute or more and two gigabytes, so this runs only with
``BOOK_TEST_INSTALL=1``, as in ``.ci/run``.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from repository import ROOT, files

from tools import torch_index

SECTION = (ROOT / "README.md").read_text().partition("## Without make\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```(sh|bat)\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
POSIX = [block.splitlines() for kind, block in BLOCKS if kind == "sh"]


@pytest.fixture
def clone(tmp_path):
    """The files of the repository, and nothing else."""
    folder = tmp_path / "fresh clone"
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


@pytest.fixture
def environment(tmp_path):
    """A reader's environment. uv doesn't read the settings of pip: they are passed on.

    As with uv, Python compiles a module when it is first imported: most never are, here.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    own["PIP_COMPILE"] = "0"
    own["JUPYTER_CONFIG_DIR"] = str(tmp_path / "config")
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"  # uv is there
    if not torch_index.is_reachable(torch_index.INDEX):
        asked = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
        own["UV_NO_SOURCES"] = "1"
        own["UV_FIND_LINKS"] = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    return own


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.skipif(
    not os.environ.get("BOOK_TEST_INSTALL"), reason="two gigabytes: BOOK_TEST_INSTALL=1 tests it"
)
@pytest.mark.parametrize("lines", POSIX, ids=["pip", "uv"])
def test_three_lines_install_the_book_and_start_jupyterlab(lines, clone, environment):
    make, install, start = lines
    make = make.replace("--python 3.13", f"--python {sys.executable}")  # no download of a Python
    for line in (make, install):
        done = subprocess.run(
            ["sh", "-c", line], cwd=clone, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    ours = "from helpers.text import softmax; print(softmax([0.0, 0.0]))"
    done = subprocess.run(
        [clone / ".venv/bin/python", "-c", ours], cwd="/", capture_output=True, text=True
    )
    assert done.stdout == "[0.5, 0.5]\n", done.stderr

    port = free_port()
    options = f"--no-browser --allow-root --port={port} --IdentityProvider.token="
    server = subprocess.Popen(["sh", "-c", f"exec {start} {options}"], cwd=clone, env=environment)
    try:
        limit = time.monotonic() + 120
        while not answers(f"http://127.0.0.1:{port}/api/contents/notebooks/en"):
            assert server.poll() is None, "JupyterLab has ended"
            assert time.monotonic() < limit, "JupyterLab doesn't answer"
            time.sleep(0.5)
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_windows_gets_the_same_lines():
    (windows,) = [block.splitlines() for kind, block in BLOCKS if kind == "bat"]
    as_posix = [
        line.replace("\\Scripts\\", "/bin/").replace("py -m", "python3 -m") for line in windows
    ]
    assert as_posix == POSIX[0]
