"""A small book, and releases of the small packages that it uses, in a folder of wheels.

`parrot` 2.0 changes what a reader sees in each way that has a name. `wren`, `yaffle` and the
pre-release of `owl` change one text each, and `finch` nothing. The builds of `yaffle` have a label,
as PyTorch's have. `heavy` opens the way to the libraries of the environment in which the tests run,
such as the kernel: so no test installs these a second time.
"""

import sysconfig
import zipfile
from pathlib import Path

PARROT = """
__version__ = "{version}"
import warnings
import ipywidgets
from IPython.display import Image
from io import BytesIO
from PIL import Image as Canvas

def ids(text):
    return [101, {id}, 102]

def score():
    return {score}

def speak():
    {warn}
    print("Polly")

def call(*, {argument}):
    print("called", {argument}, "times")

def draw():
    file = BytesIO()
    Canvas.new("RGB", (40, 40), "{color}").save(file, "png")
    return Image(data=file.getvalue())

def dial():
    return ipywidgets.IntSlider({start})

def whisper():
    {whisper}
"""
OLD = {
    "version": "1.0",
    "id": 7592,
    "score": 0.81,
    "warn": "pass",
    "argument": "times",
    "color": "white",
    "start": 3,
    "whisper": "print('psst')",
}
NEW = {
    "version": "2.0",
    "id": 7593,
    "score": 0.82,
    "warn": "warnings.warn('speak is deprecated: use talk', DeprecationWarning)",
    "argument": "count",
    "color": "green",
    "start": 4,
    "whisper": "pass",
}
RELEASES = [
    ("parrot", "1.0", PARROT.format(**OLD)),
    ("parrot", "2.0", PARROT.format(**NEW)),
    ("wren", "1.0", 'def sing(): return "tirili"\n'),
    ("wren", "1.1", 'def sing(): return "tirila"\n'),
    ("yaffle", "1.0+cpu", 'def drum(): return "rat tat"\n'),
    ("yaffle", "1.1+cpu", 'def drum(): return "rat tat tat"\n'),
    ("owl", "1.0", 'def hoot(): return "hu"\n'),
    ("owl", "1.1", 'def hoot(): return "hu"\n'),
    ("owl", "1.2rc1", 'def hoot(): return "hu hu"\n'),
    ("finch", "1.0", ""),
    ("finch", "1.1", ""),
]

# Cells by what they show. The numbers of these cells are their places here.
CELLS = [
    "import owl, parrot, wren, yaffle\nprint('parrot', parrot.__version__)",
    "print(parrot.ids('hello'))",
    "parrot.speak()",
    "parrot.call(times=3)",
    "parrot.draw()",
    "parrot.dial()",
    "parrot.whisper()",
    "print(wren.sing())",
    "print(yaffle.drum())",
    "print(owl.hoot())",
    ":tolerance: 0.05\n\nprint(parrot.score())",
]
PROSE = {
    2: "The id in the middle is 7592. An id is a number.",
    4: "The argument `times` says how often.",
}
EXERCISES = """## Try it yourself

**1.** Which id does *hello* have?

:::{admonition} Answer
:class: dropdown
It is 7592, as above. Each word has one.
:::

## What to remember

- An id is a number.
"""
THEN_AND_NOW = """# Then and now

| Then | Now |
| --- | --- |
| `parrot.call(3)` | `parrot.call(times=3)` |
| `wren.whistle()` | `wren.sing()` |
"""
PYPROJECT = """[project]
name = "small-book"
version = "1"
requires-python = ">=3.11"
dependencies = ["heavy", "parrot>=1", "wren~=1.0", "finch~=1.0", "owl~=1.0", "yaffle~=1.0"]

[project.optional-dependencies]
dev = []
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Write the wheel of a package of a few files."""
    info = f"{name}-{version}.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            wheel.writestr(path, text)


def write_releases(folder: Path) -> None:
    """Write all wheels."""
    for name, version, code in RELEASES:
        write_wheel(folder, name, version, {f"{name}.py": code})
    write_wheel(folder, "heavy", "1.0", {"heavy.pth": sysconfig.get_path("purelib") + "\n"})


def write_book(root: Path) -> None:
    """Write the small book, locked on the old releases."""
    notebook = root / "notebooks" / "en" / "1-birds" / "1-1-birds.md"
    notebook.parent.mkdir(parents=True)
    parts = ["# Birds"]
    for number, cell in enumerate(CELLS, start=1):
        parts += [f"```{{code-cell}} ipython3\n{cell}\n```", PROSE.get(number, "So it is.")]
    notebook.write_text("\n\n".join([*parts, EXERCISES]), encoding="utf-8")
    (root / "book").mkdir()
    (root / "book" / "then-and-now.md").write_text(THEN_AND_NOW, encoding="utf-8")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    names = ["finch", "heavy", "owl", "parrot", "Wren", "yaffle"]
    lock = "".join(f"{name}==1.0\n" for name in names)
    (root / "requirements.lock").write_text(lock, encoding="utf-8")
