"""Print the address of PyTorch's CPU builds if this machine should install one from there.

    python tools/torch_index.py

On Linux, PyPI's build of PyTorch brings about 3 GB of CUDA libraries, which only a machine with an
NVIDIA GPU can use. PyTorch's own index has a build of 0.2 GB without them. ``BOOK_TORCH_INDEX``
names a mirror; an empty value means the default index. This runs before anything is installed, so
it needs only Python itself.
"""

import importlib.util
import os
import shutil
import sys
import threading
import urllib.request
from pathlib import Path

INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 5  # seconds


def has_nvidia() -> bool:
    """Tell whether this machine has an NVIDIA GPU with a driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def is_reachable(url: str) -> bool:
    """Ask for a page, and give up after some seconds, also where names can't be looked up."""
    answers = []

    def ask() -> None:
        try:
            urllib.request.urlopen(f"{url.rstrip('/')}/torch/", timeout=PATIENCE).close()
            answers.append(True)
        except (OSError, ValueError):
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answers == [True]


def main() -> None:
    """Print the address, or nothing; say on standard error why the default index is used."""
    index = os.environ.get("BOOK_TORCH_INDEX", INDEX)
    installed = importlib.util.find_spec("torch") is not None
    if not index or installed or sys.platform != "linux" or has_nvidia():
        return
    if is_reachable(index):
        print(index)
    else:
        print(f"{index} can't be reached: PyTorch comes from the default index.", file=sys.stderr)


if __name__ == "__main__":
    main()
