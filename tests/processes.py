"""Run a piece of Python in a process of its own, as a second notebook would."""

import os
import subprocess
import sys


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
