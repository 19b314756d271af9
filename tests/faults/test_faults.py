"""Plant faults in a copy of the book, and see the checks go red.

    make faults

A check that has never failed may be unable to. Each fault in ``FAULTS`` has to be noticed twice: by
the unit tests of its module, and by nbval, which runs the notebook and compares its results.

Starting a kernel and loading the libraries takes longer than the cells themselves. So ``make test``
plants several faults at once, runs only the cells that show them (and the cells that these need),
and asks of each fault that its own cell is red. The faults of one round don't reach each other's
cells. ``make faults`` plants each fault alone and runs its whole notebook; it also tries those in
notebooks that train, where it takes minutes until a fault shows.

Each fault in ``SLIPS`` has to be noticed by one test that reads files. These are planted in rounds,
too, and each has to fail its own test.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from notebook_parts import cut
from processes import KERNEL_WARNINGS, run_loaded, run_pytest

ROOT = Path(__file__).parents[2]
ALL = bool(os.environ.get("BOOK_ALL_FAULTS"))
CHAPTER_1 = "notebooks/en/1-transformer-models"
CHAPTER_2 = "notebooks/en/2-using-transformers"
CHAPTER_3 = "notebooks/en/3-fine-tuning"
BEHIND_THE_PIPELINE = f"{CHAPTER_2}/2-1-behind-the-pipeline.ipynb"
PARTS = f"{CHAPTER_2}/parts.ipynb"  # the cells of one round


class Fault(NamedTuple):
    """What is planted where, and who has to notice."""

    file: str
    right: str
    wrong: str
    tests: str  # the unit tests
    cell: str = ""  # what only that cell of the notebook contains which shows the fault
    notebook: str = BEHIND_THE_PIPELINE
    round: int = 1
    slow: bool = False  # the notebook trains


FAULTS = {
    "softmax over the wrong axis": Fault(
        "helpers/text/decoding.py",
        ".softmax(dim=axis)",
        ".softmax(dim=0)",
        "tests/text/test_decoding.py",
        "torch.allclose(softmax(outputs.logits), by_hand)",
    ),
    "temperature multiplies instead of dividing": Fault(
        "helpers/text/decoding.py",
        ".amax(dim=axis, keepdim=True)) / temperature",
        ".amax(dim=axis, keepdim=True)) * temperature",
        "tests/text/test_decoding.py",
        "softmax(outputs.logits[0], temperature=temperature)",
    ),
    "id2label swapped": Fault(
        "helpers/text/decoding.py",
        '"label": names[i]',
        '"label": names[len(row) - 1 - i]',
        "tests/text/test_decoding.py",
        "for answer in decode(outputs.logits, model.config.id2label):",
        round=2,
    ),
    "token table off by one": Fault(
        "helpers/text/tokens.py",
        'columns["position"] += range(len(row))',
        'columns["position"] += range(1, len(row) + 1)',
        "tests/text/test_tokens.py",
        "table[14:18]",
    ),
    "a library announces a removal": Fault(
        "helpers/text/tokens.py",
        "    import pandas as pd\n\n    if not isinstance(inputs",
        "    import warnings\n    import pandas as pd\n    warnings.warn('x', DeprecationWarning)\n"
        "    if not isinstance(inputs",
        "tests/text/test_tokens.py",
        "table = token_table(tokenizer, inputs)",
        round=3,
    ),
    "padding shown as text": Fault(
        "helpers/text/token_kinds.py",
        'kinds.append("padding")',
        'kinds.append("text")',
        "tests/text/test_token_kinds.py",
        '(table["kind"] == "padding").mean()',
        round=2,
    ),
    "padding counted as if it were text": Fault(
        "helpers/text/tokens.py",
        '"cut": sum(whole) - sum(kept)',
        '"cut": sum(whole) - sum(lengths)',
        "tests/text/test_tokens.py",
        "padding_table(tokenizer, sequences, settings)",
        f"{CHAPTER_2}/2-4-several-sequences.ipynb",
        round=2,
    ),
    "causal mask lets each token see the next": Fault(
        "helpers/text/attention.py",
        'np.tril(allowed) if kind == "causal"',
        'np.tril(allowed, 1) if kind == "causal"',
        "tests/text/test_attention.py",
        'mask_picture(attention_mask("causal", len(words)), words)',
        f"{CHAPTER_1}/1-2-architectures.ipynb",
    ),
    "the farthest sentence is called the nearest": Fault(
        "helpers/text/similarity.py",
        "np.argsort(-similarities",
        "np.argsort(similarities",
        "tests/text/test_similarity.py",
        "nearest(encode, text, sentences)[0]",
        f"{CHAPTER_1}/1-1-nlp-and-the-pipeline.ipynb",
    ),
    "every batch as wide as the longest of all": Fault(
        "helpers/text/batching.py",
        "max(lengths[i] for i in batch) if width is None else width",
        "longest if width is None else width",
        "tests/text/test_batching.py",
        notebook=f"{CHAPTER_3}/3-1-processing-the-data.ipynb",
        slow=True,
    ),
    "gradients of the steps before stay": Fault(
        "helpers/training/loop.py",
        "schedule.step()\n                        optimizer.zero_grad()",
        "schedule.step()",
        "tests/training/test_loop.py",
        notebook=f"{CHAPTER_3}/3-3-the-training-loop.ipynb",
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
        notebook=f"{CHAPTER_3}/3-3-the-training-loop.ipynb",
        slow=True,
    ),
}
# Typed by hand into a stored output: no unit test can know of it.
STORED = Fault(
    BEHIND_THE_PIPELINE,
    "147,840 parameters",
    "147,841 parameters",
    "",
    "in model.named_children():",
)
SHOWN = {name: fault for name, fault in FAULTS.items() if not fault.slow}
SHOWN["a stored result was changed"] = STORED
ROUNDS = sorted({fault.round for fault in SHOWN.values()})


class Slip(NamedTuple):
    """What is planted in a file, and the test that has to notice: it needs no model, no kernel."""

    file: str
    right: str
    wrong: str
    test: str


REVISION = "86b5e0934494bd15c9632b12f734a8a67f723594"
NUMBERS = "tests/notebooks/test_prose.py::test_each_number_of_a_"
SLIPS = {
    "a word of a plot bypasses the catalog": Slip(
        "helpers/display/heatmaps.py",
        'words("predicted")',
        '"predicted"',
        "tests/words/test_words.py::test_what_is_shown_comes_from_the_catalog[confusion_heatmap]",
    ),
    "the template for translators lacks a text": Slip(
        "helpers/display/live/batching.js",
        'words("Order")',
        'words("Sequence")',
        "tests/words/test_words.py::test_the_template_is_todays",
    ),
    "make test runs no notebook": Slip(
        "Makefile",
        "--nbval --nbval-current-env",
        "",
        "tests/test_house.py::test_make_test_compares_every_notebook",
    ),
    "make test runs chapters 1 and 2 only": Slip(
        "Makefile",
        "$(NOTEBOOKS)/*/*/)",
        "$(NOTEBOOKS)/*/[12]*/)",
        "tests/test_house.py::test_make_test_compares_every_notebook",
    ),
    "make test compares only where a cell asks for it": Slip(
        "Makefile",
        "--nbval --nbval-current-env",
        "--nbval --nbval-lax --nbval-current-env",
        "tests/test_house.py::test_make_test_leaves_nothing_out",
    ),
    "make test forgets a folder of tests": Slip(
        "Makefile",
        "tests/*/test_*.py tests/test_*.py",
        "tests/[a-s]*/test_*.py tests/test_*.py",
        "tests/test_house.py::test_make_test_runs_every_test",
    ),
    "make lint forgets the types": Slip(
        "Makefile",
        "\t$(BIN)/mypy\n",
        "",
        "tests/test_house.py::test_make_lint_checks_style_types_and_javascript",
    ),
    "nbval overlooks every number": Slip(
        "tests/sanitize.cfg",
        "0x[0-9a-f]{8,}",
        "[0-9]+",
        "tests/test_house.py::test_what_nbval_overlooks_is_what_is_listed_here",
    ),
    "the README names a command that doesn't exist": Slip(
        "README.md",
        "make book    #",
        "make site    #",
        "tests/test_commands.py::test_commands_exist",
    ),
    "CONTRIBUTING gives an option a value that it doesn't take": Slip(
        "CONTRIBUTING.md",
        "make adapter NAME=sentiment",
        "make adapter NAME=feeling",
        "tests/test_commands.py::test_commands_exist",
    ),
    "the publishing page uses an option that doesn't exist": Slip(
        "book/publish.md",
        "http.server --directory",
        "http.server --folder",
        "tests/test_commands.py::test_commands_exist",
    ),
    "a word that the book no longer uses": Slip(
        "book/welcome.md",
        "change something, and run it again",
        "change its colour, and run it again",
        "tests/tools/test_lint_words.py::test_the_book_uses_none_of_them",
    ),
    "a page names a variable that nothing reads": Slip(
        "README.md",
        "COURSE_SOURCE=hub make lab",
        "COURSE_ORIGIN=hub make lab",
        "tests/test_commands.py::test_commands_exist",
    ),
    "a card has no license": Slip(
        "helpers/sources/data/masked/README.md",
        "License: Apache-2.0.",
        "",
        "tests/sources/test_cards.py::test_a_card_ends_with_its_license",
    ),
    "a card that the Hub reads has no license": Slip(
        "helpers/sources/data/paraphrases/README.md",
        "license: cc0-1.0\n",
        "",
        "tests/sources/test_cards.py::test_a_card_ends_with_its_license",
    ),
    "what ships has no license": Slip(
        "helpers/sources/data/README.md",
        "CC0 1.0",
        "",
        "tests/sources/test_cards.py::test_each_row_has_a_source_and_a_license",
    ),
    "a card doesn't say whose data it used": Slip(
        "helpers/sources/data/causal/README.md",
        "(MIT, © 2016 C.J. Hutto)",
        "",
        "tests/sources/test_cards.py::test_a_card_names_the_data_of_others",
    ),
    "a notebook runs code from the Hub": Slip(
        f"{CHAPTER_2}/2-1-behind-the-pipeline.md",
        "model = AutoModelForSequenceClassification.from_pretrained(checkpoint)",
        # spelled so that it isn't found in this file
        "model = AutoModelForSequenceClassification.from_pretrained(checkpoint, "
        f"trust_{'remote_code'}=True)",
        "tests/test_house.py::test_no_code_from_the_hub_is_ever_run",
    ),
    "another revision of a checkpoint": Slip(
        "helpers/sources/checkpoints.py",
        REVISION,
        REVISION[::-1],
        "tests/sources/test_revisions.py::test_the_code_pins_the_recorded_revisions",
    ),
    "a table of data names another revision": Slip(
        "helpers/sources/data/README.md",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        REVISION,
        "tests/sources/test_revisions.py::test_a_revision_belongs_to_its_repository",
    ),
    "mean pooling over the padded length, in 1-1": Slip(
        f"{CHAPTER_1}/1-1-nlp-and-the-pipeline.md",
        "total / mask.sum(dim=1)",
        "total / mask.shape[1]",
        "tests/notebooks/test_pooling.py::test_padding_counts_for_nothing",
    ),
    "mean pooling over the padded length, in 2-2": Slip(
        f"{CHAPTER_2}/2-2-models.md",
        "/ mask.sum(dim=1)",
        "/ mask.shape[1]",
        "tests/notebooks/test_pooling.py::test_padding_counts_for_nothing",
    ),
    "mean pooling over the padded length, in tools": Slip(
        "tools/sample_paraphrases.py",
        "/ real.sum(1)",
        "/ real.shape[1]",
        "tests/notebooks/test_pooling.py::test_each_divides_by_the_mask",
    ),
    "a warmup rounded down": Slip(
        "helpers/training/loop.py",
        "math.ceil(warmup * steps)",
        "int(warmup * steps)",
        "tests/training/test_schedule.py::test_the_warmup_is_rounded_up",
    ),
    "a dependency isn't declared": Slip(
        "pyproject.toml",
        '    "tqdm~=4.67",\n',
        "",
        "tests/test_house.py::test_what_is_imported_is_declared_and_what_is_declared_is_used",
    ),
    "nbval's older marker hides an output": Slip(
        BEHIND_THE_PIPELINE,
        '"table[14:18]"',
        '"# PYTEST_VALIDATE_IGNORE_OUTPUT\\n", "table[14:18]"',
        "tests/notebooks/test_notebooks.py::"
        "test_cells_that_are_not_compared_carry_a_reason_and_are_few_in_the_book",
    ),
    "a tolerance is wider than the effect": Slip(
        f"{CHAPTER_3}/3-3-the-training-loop.ipynb",
        '"tolerance": 0.03',
        '"tolerance": 0.1',
        "tests/notebooks/test_notebooks.py::"
        "test_a_tolerance_is_needed_and_smaller_than_what_the_text_claims",
    ),
    "a tolerance where nothing is trained": Slip(
        f"{CHAPTER_1}/1-1-nlp-and-the-pipeline.ipynb",
        '"id": "cell-003",\n   "metadata": {',
        '"id": "cell-003",\n   "metadata": {"reason": "x", "tolerance": 0.01',
        "tests/notebooks/test_notebooks.py::"
        "test_a_tolerance_is_needed_and_smaller_than_what_the_text_claims",
    ),
    "a link leads to another term": Slip(
        f"{CHAPTER_1}/1-1-nlp-and-the-pipeline.md",
        "glossary.md#term-mean-pooling)",
        "glossary.md#term-padding)",
        "tests/site/test_links.py::test_a_link_s_text_names_its_target",
    ),
    "a similarity isn't the one printed above it": Slip(
        f"{CHAPTER_1}/1-1-nlp-and-the-pipeline.ipynb",
        "Their similarity is 0.74",
        "Their similarity is 0.47",
        f"{NUMBERS}notebook_was_printed_or_has_a_source[1-1-nlp-and-the-pipeline]",
    ),
    "an id in a figure isn't the tokenizer's": Slip(
        "book/figures/three-steps.svg",
        "ids 101 1045 5223",
        "ids 101 1045 5232",
        f"{NUMBERS}notebook_was_printed_or_has_a_source[2-1-behind-the-pipeline]",
    ),
    "a page names a version that isn't installed": Slip(
        "book/then-and-now.md",
        "Transformers 5.23",
        "Transformers 5.22",
        f"{NUMBERS}page_has_a_source[then-and-now]",
    ),
    "the grader believes the notebook's own modules": Slip(
        "tools/verdicts.py",
        "kept = _remove_practice()",
        "kept = {}",
        "tests/tools/test_grade.py::test_a_verdict_comes_from_fresh_checks",
    ),
    "students get the solutions": Slip(
        "tools/handouts.py",
        '"students": False',
        '"students": True',
        "tests/tools/test_handouts.py::test_students_get_the_starter_and_teachers_the_solution",
    ),
    "a pair has drifted": Slip(
        f"{CHAPTER_2}/2-1-behind-the-pipeline.md",
        "`truncation=True` would cut",
        "`truncation=True` could cut",
        "tests/notebooks/test_notebooks.py::test_the_pair_agrees",
    ),
}


def in_rounds() -> list[list[str]]:
    """Put the slips into as few rounds as may be: no two of a round share a file or a test."""
    rounds: list[list[str]] = []
    for name, slip in SLIPS.items():
        for members in rounds:
            others = [SLIPS[other] for other in members]
            if all(slip.file != other.file and slip.test != other.test for other in others):
                members.append(name)
                break
        else:
            rounds.append([name])
    return rounds


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of what the checks read, without the environment and what was built."""
    folder = tmp_path_factory.mktemp("faults") / "book"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "_build", "_vendor", "__pycache__", "*.egg-info", ".*_cache"
    )
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


def check(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run pytest on the copy, and give its exit status and what it printed."""
    options = ["-q", "-p", "no:cacheprovider"]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": KERNEL_WARNINGS}
    status, out, err = run_loaded(run_pytest, folder, *options, *arguments, **environment)
    return status, out + err


def nbval(folder: Path, notebook: str) -> tuple[int, str]:
    """Run a notebook as `make test` does."""
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/sanitize.cfg"]
    return check(folder, notebook, *options)


def nbval_cells(folder: Path, faults: list[Fault]) -> tuple[dict[str, bool], str]:
    """Run the cells that show the faults: which of these pass, and what was printed.

    The cells of all notebooks are put into one, so that one kernel runs them.
    """
    cells = []
    for notebook in dict.fromkeys(fault.notebook for fault in faults):
        stored = nbformat.read(folder / notebook, as_version=4)
        wanted = [fault.cell for fault in faults if fault.notebook == notebook]
        part = cut(stored, *wanted)
        cells += part.cells
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(nbformat.v4.new_notebook(metadata=part.metadata, cells=cells), folder / PARTS)
    status, said = nbval(folder, PARTS)
    (folder / PARTS).unlink()
    assert status in (0, 1), said
    red = {int(number) for number in re.findall(r"^FAILED \S+::Cell (\d+)", said, re.MULTILINE)}
    assert len(red) == len(re.findall("^FAILED ", said, re.MULTILINE)), said
    passes = {}
    for fault in faults:
        (place,) = [i for i, cell in enumerate(cells) if fault.cell in cell.source]
        passes[fault.cell] = place not in red
    return passes, said


@contextmanager
def planted(folder: Path, *faults: Fault | Slip) -> Iterator[None]:
    """Put what is wrong in the place of what is right, for a while."""
    files = {fault.file: (folder / fault.file).read_text() for fault in faults}
    with ExitStack() as stack:
        for file, original in files.items():
            stack.callback((folder / file).write_text, original)
        for fault in faults:
            text = (folder / fault.file).read_text()
            places = text.count(fault.right)
            assert places == 1, (
                f"expected {fault.right!r} once in {fault.file}, found it {places} times: "
                "the line has changed, so change this table"
            )
            (folder / fault.file).write_text(text.replace(fault.right, fault.wrong))
        yield


@pytest.mark.parametrize("name", FAULTS)
def test_unit_tests_notice(copy, name):
    fault = FAULTS[name]
    with planted(copy, fault):
        status, said = check(copy, "-x", fault.tests)
    assert status == 1, said
    assert "failed" in said


def test_without_a_fault_every_cell_passes(copy):
    """Else the tests below could be red for another reason: the copy, or how the cells are cut."""
    passes, said = nbval_cells(copy, list(SHOWN.values()))
    assert all(passes.values()), said
    assert "failed" not in said


@pytest.mark.parametrize("number", ROUNDS)
def test_nbval_notices_each_fault_in_its_cell(copy, number):
    faults = [fault for fault in SHOWN.values() if fault.round == number]
    with planted(copy, *faults):
        passes, said = nbval_cells(copy, faults)
    assert not any(passes.values()), said
    assert "passed" in said, "the first cell of a notebook only imports"


@pytest.mark.skipif(not ALL, reason="minutes for each: make faults")
@pytest.mark.parametrize("name", [*FAULTS, *(SHOWN.keys() - FAULTS.keys())])
def test_nbval_notices_a_fault_alone_in_the_whole_notebook(copy, name):
    fault = {**FAULTS, **SHOWN}[name]
    with planted(copy, fault):
        status, said = nbval(copy, fault.notebook)
    assert status == 1, said
    assert "failed" in said


def test_without_a_slip_the_tests_of_files_pass(copy):
    """Else the test below could be red because of the copy."""
    status, said = check(copy, *dict.fromkeys(slip.test for slip in SLIPS.values()))
    assert status == 0, said


@pytest.mark.parametrize("names", in_rounds(), ids=range(len(in_rounds())))
def test_the_tests_of_files_notice_each_slip(copy, names):
    slips = [SLIPS[name] for name in names]
    with planted(copy, *slips):
        status, said = check(copy, *dict.fromkeys(slip.test for slip in slips))
    assert status == 1, said
    for slip in slips:
        assert f"FAILED {slip.test}" in said, said
