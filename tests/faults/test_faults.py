"""Plant a fault in a copy of the book, and see the checks go red.

    make faults

A net that has never caught anything may have a hole. Each fault below is one that both checks have
to catch: the unit tests of the module, and nbval, which runs the notebook and compares its results.
In the notebooks that train it takes a minute until a fault shows: nbval is tried on those by
``make faults``, and not by ``make test``.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from processes import run_loaded, run_pytest

ROOT = Path(__file__).parents[2]
BEHIND_THE_PIPELINE = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline.ipynb"


class Fault(NamedTuple):
    """What is planted where, and who has to notice."""

    file: str
    right: str
    wrong: str
    tests: str
    notebook: str = BEHIND_THE_PIPELINE
    slow: bool = False  # the notebook trains


FAULTS = {
    "softmax over the wrong axis": Fault(
        "helpers/text/decoding.py",
        "return scores.softmax(dim=axis).to(kind)",
        "return scores.softmax(dim=0).to(kind)",
        "tests/text/test_decoding.py",
    ),
    "temperature multiplies instead of dividing": Fault(
        "helpers/text/decoding.py",
        "scores.amax(dim=axis, keepdim=True)) / temperature",
        "scores.amax(dim=axis, keepdim=True)) * temperature",
        "tests/text/test_decoding.py",
    ),
    "id2label swapped": Fault(
        "helpers/text/decoding.py",
        '"label": id2label[int(i)]',
        '"label": id2label[len(row) - 1 - int(i)]',
        "tests/text/test_decoding.py",
    ),
    "token table off by one": Fault(
        "helpers/text/tokens.py",
        'columns["position"] += range(len(row))',
        'columns["position"] += range(1, len(row) + 1)',
        "tests/text/test_tokens.py",
    ),
    "a library announces a removal": Fault(
        "helpers/text/tokens.py",
        "    import pandas as pd\n\n    if not isinstance(inputs",
        "    import warnings\n    import pandas as pd\n    warnings.warn('x', DeprecationWarning)\n"
        "    if not isinstance(inputs",
        "tests/text/test_tokens.py",
    ),
    "padding shown as text": Fault(
        "helpers/text/tokens.py",
        "if token_id == tokenizer.pad_token_id:",
        "if token_id == tokenizer.sep_token_id:",
        "tests/text/test_tokens.py",
    ),
    "padding counted as if it were text": Fault(
        "helpers/text/tokens.py",
        '"cut": sum(whole) - sum(kept)',
        '"cut": sum(whole) - sum(lengths)',
        "tests/text/test_tokens.py",
        "notebooks/en/2-using-transformers/2-4-several-sequences.ipynb",
    ),
    "causal mask lets each token see the next": Fault(
        "helpers/text/attention.py",
        'np.tril(allowed) if kind == "causal"',
        'np.tril(allowed, 1) if kind == "causal"',
        "tests/text/test_attention.py",
        "notebooks/en/1-transformer-models/1-2-architectures.ipynb",
    ),
    "the farthest sentence is called the nearest": Fault(
        "helpers/text/similarity.py",
        "np.argsort(-similarities",
        "np.argsort(similarities",
        "tests/text/test_similarity.py",
        "notebooks/en/1-transformer-models/1-1-nlp-and-the-pipeline.ipynb",
    ),
    "every batch as wide as the longest of all": Fault(
        "helpers/text/batching.py",
        "max(lengths[i] for i in batch) if width is None else width",
        "longest if width is None else width",
        "tests/text/test_batching.py",
        "notebooks/en/3-fine-tuning/3-1-processing-the-data.ipynb",
        slow=True,
    ),
    "gradients of the steps before stay": Fault(
        "helpers/training/loop.py",
        "                            schedule.step()\n"
        "                        optimizer.zero_grad()\n",
        "                            schedule.step()\n",
        "tests/training/test_loop.py",
        "notebooks/en/3-fine-tuning/3-3-the-training-loop.ipynb",
        slow=True,
    ),
    "the learning rate moves before the step": Fault(
        "helpers/training/loop.py",
        "                        optimizer.step()\n"
        "                        if schedule is not None:\n"
        "                            schedule.step()\n",
        "                        if schedule is not None:\n"
        "                            schedule.step()\n"
        "                        optimizer.step()\n",
        "tests/training/test_loop.py",
        "notebooks/en/3-fine-tuning/3-3-the-training-loop.ipynb",
        slow=True,
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of what the checks read, without the environment and what was built."""
    folder = tmp_path_factory.mktemp("faults") / "book"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "_build", "_vendor", "__pycache__", "*.egg-info"
    )
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


def check(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run pytest on the copy, and give its exit status and what it printed."""
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    warnings = "error::DeprecationWarning,error::FutureWarning"
    status, out, err = run_loaded(
        run_pytest, folder, *options, *arguments, OMP_NUM_THREADS="1", PYTHONWARNINGS=warnings
    )
    return status, out + err


def nbval(folder: Path, notebook: str) -> tuple[int, str]:
    """Run a notebook as `make test` does."""
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/sanitize.cfg"]
    return check(folder, notebook, *options)


@contextmanager
def planted(file: Path, right: str, wrong: str) -> Iterator[None]:
    """Put one thing in place of another in a file, for a while."""
    original = file.read_text()
    assert original.count(right) == 1, "the fault's place has moved: bring this table up to date"
    file.write_text(original.replace(right, wrong))
    try:
        yield
    finally:
        file.write_text(original)


@pytest.mark.parametrize("name", FAULTS)
def test_unit_tests_and_nbval_notice(copy, name):
    fault = FAULTS[name]
    with planted(copy / fault.file, fault.right, fault.wrong):
        results = [check(copy, fault.tests)]
        if not fault.slow or os.environ.get("BOOK_ALL_FAULTS"):
            results.append(nbval(copy, fault.notebook))
    for status, said in results:
        assert status == 1, said
        assert "failed" in said


def test_without_a_fault_nbval_passes(copy):
    """Else the test above would see red for another reason: the copy itself, or how it is run.

    One notebook is enough for that. `make test` runs the others without a fault.
    """
    status, said = nbval(copy, BEHIND_THE_PIPELINE)
    assert status == 0, said


def test_nbval_notices_a_stored_result_that_was_changed(copy):
    """One digit of a parameter count, typed by hand into the stored output."""
    with planted(copy / BEHIND_THE_PIPELINE, "147,840 parameters", "147,841 parameters"):
        status, said = nbval(copy, BEHIND_THE_PIPELINE)
    assert status == 1, said


def test_the_pair_check_notices_a_drifted_pair(copy):
    source = (copy / BEHIND_THE_PIPELINE).with_suffix(".md")
    with planted(source, "`truncation=True` would cut", "`truncation=True` could cut"):
        status, said = check(copy, "tests/notebooks/test_notebooks.py", "-k", "pair_agrees")
    assert status == 1, said
    assert "1 failed" in said
