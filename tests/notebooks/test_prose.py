"""Each number in the prose was printed above it, or has a source: see `tools.prose`."""

import inspect
import random
import shutil
from pathlib import Path

import nbformat
import pytest
from repository import ROOT

from tools import prose
from tools.prose import Claim, Printed, claims, page_problems, pages, problems

EN = ROOT / "notebooks" / "en"
NOTEBOOKS = sorted(EN.glob("*/*.ipynb"))
MOST_GIVEN = 28  # numbers that an exercise or an example assumes; raise it only with a reason


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_number_of_a_notebook_was_printed_or_has_a_source(path):
    assert problems(path) == []


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_each_number_of_a_page_has_a_source(path):
    assert page_problems(path) == []


def test_few_numbers_are_merely_given():
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    sources = [source for cell in cells for source in cell.metadata.get("source", {}).values()]
    assert len(sources) > 100
    assert sources.count("given") <= MOST_GIVEN


# Planted in a copy: what is right, and what is wrong in its place
FAULTS = {
    "a similarity beside the one printed above it": ("1-1", "is 0.74, and", "is 0.47, and"),
    "a similarity in the second digit": ("2-2", "with 0.96 and 0.92", "with 0.96 and 0.93"),
    "an accuracy": ("2-3", "about half, no better", "about a third, no better"),
    "an accuracy worked out by hand": ("3-2", "answers: 3 of 6, or 0.5", "answers: 3 of 6, or 0.6"),
    "a count of parameters": ("2-1", "66 million parameters", "67 million parameters"),
    "a count of parameters at a line's end": ("2-2", "about 108\nmillion", "about 118\nmillion"),
    "a recorded score of the original": ("1-1", "0.9598047137260437", "0.9598047137260438"),
    "a recorded logit": ("2-1", "4.1692, -3.3464", "4.1692, -3.3646"),
    "a recorded logit that lost its sign": ("2-4", "[-1.5607,", "[1.5607,"),
    "recorded ids": ("2-3", "170, 13809, 23763, 2443", "170, 13809, 23673, 2443"),
    "a recorded shape": ("3-1", "torch.Size([16, 90])", "torch.Size([16, 99])"),
    "the version of a library": ("3-4", "version 5.23 assumes", "version 5.24 assumes"),
    "an id in a text alternative": ("2-1", "ids 101 1045 5223 2023", "ids 101 1045 5232 2023"),
    "two ids that changed places": ("2-1", "1045 5223 2023", "5223 1045 2023"),
    "a rate in the text alternative of a plot": ("3-3", "from 5e-5 to 0.", "from 5e-4 to 0."),
    "an id in a sentence": ("2-1", "learned that 5223 means", "learned that 5224 means"),
    "a shape": ("2-1", "From 2 × 16 × 384 numbers", "From 2 × 16 × 348 numbers"),
    "a percentage": ("1-2", "replace 80% by", "replace 70% by"),
    "a percentage in a table": ("1-2", "about 15% of the tokens", "about 25% of the tokens"),
    "a number in a table": ("2-1", "| hidden size | 384 |", "| hidden size | 394 |"),
    "a date in a table": ("1-2", "| June 2018 | [GPT]", "| July 2018 | [GPT]"),
    "a calculation with its result": ("3-4", "are the same 16 rows", "are the same 18 rows"),
    "a score with one decimal": ("1-3", "score, 127.1, belongs", "score, 127.4, belongs"),
    "a ratio in words": ("2-1", "is twice as wide", "is three times as wide"),
    "a share in words": ("2-1", "A quarter of what", "A third of what"),
    "a count in words": ("2-4", "the ten hatched cells", "the twenty hatched cells"),
    "a large count": ("2-2", "0 to 21,127", "0 to 21,128,000"),
    "a number of steps": ("3-2", "makes 1,377 steps", "makes 1,373 steps"),
}  # fmt: skip


def copy_of(name: str, folder: Path) -> Path:
    """Copy a notebook and the figures, one beside the other as in the book."""
    (path,) = EN.glob(f"*/{name}-*.ipynb")
    target = folder / path.relative_to(ROOT)
    target.parent.mkdir(parents=True)
    shutil.copy(path, target)
    shutil.copytree(ROOT / "book" / "figures", folder / "book" / "figures")
    return target


def with_fault(path: Path, right: str, wrong: str) -> nbformat.NotebookNode:
    """Read a notebook with a fault in its prose, or in the text alternative of a plot."""
    notebook = nbformat.read(path, as_version=4)
    places = 0
    for cell in notebook.cells:
        image = cell.metadata.get("mystnb", {}).get("image", {})
        if cell.cell_type == "markdown" and right in cell.source:
            cell.source = cell.source.replace(right, wrong)
            places += 1
        elif right in image.get("alt", ""):
            image["alt"] = image["alt"].replace(right, wrong)
            places += 1
    assert places == 1, f"{right!r} is in {places} cells: bring the table up to date"
    return notebook


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_number_is_noticed(fault):
    name, right, wrong = FAULTS[fault]
    (path,) = EN.glob(f"*/{name}-*.ipynb")
    assert problems(path, with_fault(path, right, wrong))


@pytest.mark.parametrize(
    ("name", "figure", "right", "wrong"),
    [
        ("2-1", "three-steps", "ids 101 1045 5223", "ids 101 1045 5224"),  # its description
        ("2-3", "tokenizer-steps", ">19204<", ">19240<"),  # a label
        ("3-1", "dynamic-padding", "37%", "47%"),
        ("1-2", "transformer-timeline", "GPT-3, May 2020", "GPT-3, May 2021"),
        ("1-3", "attention-head", ">13 × 13<", ">13 × 31<"),
        ("1-3", "encoder-layer", "from 384 to 1536", "from 384 to 1356"),
    ],
)
def test_a_wrong_number_in_a_figure_is_noticed(tmp_path, name, figure, right, wrong):
    notebook = copy_of(name, tmp_path)
    assert problems(notebook) == []
    svg = tmp_path / "book" / "figures" / f"{figure}.svg"
    assert right in svg.read_text()
    svg.write_text(svg.read_text().replace(right, wrong))
    prose.svg_words.cache_clear()
    assert problems(notebook)


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("then-and-now", "Transformers 5.23", "Transformers 5.22"),
        ("then-and-now", "Evaluate 0.4", "Evaluate 0.5"),
        ("then-and-now", "for Transformers 4.8.", "for Transformers 4.6."),
        ("then-and-now", "tensor a (14)", "tensor a (15)"),
        ("introduction", "film 0.71", "film 0.72"),
        ("introduction", "| 50–100 |", "| 50–200 |"),
        ("introduction", "480,386 trained", "480,368 trained"),
        ("welcome", "22.7 million", "22.9 million"),
        ("welcome", "Python 3.11", "Python 3.10"),
        ("glossary", "has 30,522", "has 30,552"),
    ],
)
def test_a_wrong_number_on_a_page_is_noticed(tmp_path, page, right, wrong):
    shutil.copytree(ROOT / "book" / "figures", tmp_path / "figures")
    target = tmp_path / f"{page}.md"
    text = (ROOT / "book" / target.name).read_text()
    assert right in text
    target.write_text(text.replace(right, wrong))
    assert page_problems(target)


def test_nearly_every_changed_digit_is_noticed():
    """Change the last digit of each number of a notebook, one at a time."""
    (path,) = EN.glob("*/2-1-*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    output = Printed(notebook)
    chance = random.Random(0)
    noticed = []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for claim in prose.cell_claims(cell, path.parent):
                end = claim.number.end
                if claim.text == cell.source and claim.text[end - 1].isdigit():
                    digit = str((int(claim.text[end - 1]) + chance.randint(1, 9)) % 10)
                    changed = nbformat.from_dict(dict(cell))
                    changed.source = claim.text[: end - 1] + digit + claim.text[end:]
                    noticed.append(bool(prose.cell_problems(changed, place, output, path.parent)))
    assert len(noticed) > 60
    assert sum(noticed) > 0.95 * len(noticed)


# --- The rules ---


def found(text: str) -> list[str]:
    return [claim.number.text for claim in claims(text, ROOT)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("two sentences, 3 labels, layer 5", []),  # below ten
        ("a quarter longer, but a third kind", ["a quarter"]),
        ("half of them, but the left half of the picture", ["half"]),
        ("twice as wide, but it occurs twice", ["twice"]),
        ("GPT-2, word2vec, float32, layer.10, all-MiniLM-L12", []),  # names
        ("in 2021, but 2021 rows", ["2021"]),
        ("[Devlin et al., 2019](b.md#devlin-2019), section 3.1", []),
        ("[Devlin et al., 2018](b.md#devlin-2019)", ["2018"]),
        ("section 3.1", ["3.1"]),
        ('`hint("2-3/11")` helps, 12 rows', ["12"]),
        ("[issue 1794](https://x.org/1794) and [issue 1795](https://x.org/1794)", ["1795"]),
        ("**How long it runs.** About 15 seconds.\n\nThen 16 steps.", ["16"]),
        ("```python\nsize = 100\n```", []),
        ("```\nprinted 100\n```", ["100"]),
        ("| rows | 1,024 |", ["1,024"]),
    ],
)
def test_what_is_read_and_what_is_not(text, numbers):
    assert found(text) == numbers


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    """Make a notebook: Markdown, except for cells that begin with >, which print the rest."""
    new = nbformat.v4
    return new.new_notebook(
        cells=[
            new.new_code_cell("show()", outputs=[new.new_output("stream", text=cell[1:])])
            if cell.startswith(">")
            else new.new_markdown_cell(cell)
            for cell in cells
        ]
    )


@pytest.mark.parametrize(
    ("printed", "sentence", "holds"),
    [
        ("0.8612", "It is 0.86.", True),
        ("0.8612", "It is 0.87.", False),
        ("0.86", "It is 0.861.", False),  # more digits than were printed
        ("0.861", "It is 86%.", True),
        ("86%", "It is 86 percent.", True),
        ("86 rows", "It is 86%.", False),
        ("86%", "There are 86 rows.", False),
        ("22,713,216", "It has 22.7 million.", True),
        ("22,813,216", "It has 22.7 million.", False),
        ("199", "About 200 tokens.", True),
        ("199", "There are 200 tokens.", False),
        ("torch.Size([2, 16, 384])", "The shape is (2, 16, 384).", True),
        ("torch.Size([2, 384, 16])", "The shape is (2, 16, 384).", False),
        ("25%", "A quarter of it.", True),
        ("0.25", "A quarter of it.", False),  # too many decimals are near a quarter
        ("-1.56", "It is −1.56.", True),
        ("16", "Sixteen numbers.", True),
        ("57", 'Call `hint("2-3/1")`.', True),  # the name of an exercise, not a fraction
        ("57", "It is 3/1.", False),
    ],
)
def test_how_a_number_is_compared(printed, sentence, holds):
    notebook = notebook_of(f">{printed}", sentence)
    assert (problems(ROOT / "x.ipynb", notebook) == []) == holds


def test_an_output_that_is_far_above_holds_only_a_number_of_many_digits():
    far = [">57 and 22,713,216", ">a", ">b", ">c"]
    (problem,) = problems(ROOT / "x.ipynb", notebook_of(*far, "57 of 22,713,216"))
    assert problem.what == "57"
    assert problems(ROOT / "x.ipynb", notebook_of(*far[:3], "57 of 22,713,216")) == []


def test_an_output_below_holds_nothing():
    (problem,) = problems(ROOT / "x.ipynb", notebook_of("It will be 57.", ">57"))
    assert problem == (0, "57", "It will be 57.", "no output or code before it has this number")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("given", None),
        ("elsewhere", None),
        ("6 * 57", "6 * 57 is 342"),
        ("58 - 1", "58 in 58 - 1 is in no cell of the notebook"),
        ("3 * 19", "19 in 3 * 19 is in no cell of the notebook"),
        ("171 / 3", None),
        ("1-1", "1-1 doesn't have it"),
        ("recorded.LOGITS", "recorded.LOGITS doesn't have it"),
        ("requirements.lock", "requirements.lock doesn't have it"),
        ("Devlin et al., 2019, section 3", None),
        ("Devlin et al., 2018", "'Devlin et al., 2018' is no kind of source"),
        ("tests/test_house.py::test_nothing", "there is no tests/test_house.py::test_nothing"),
        ("I know it", "'I know it' is no kind of source"),
    ],
)
def test_a_source_is_looked_up(source, why):
    notebook = notebook_of("It will be 57.", ">57 and 171")
    notebook.cells[0].metadata["source"] = {"be 57": source}
    assert [problem.why for problem in problems(ROOT / "x.ipynb", notebook)] == [why] * bool(why)


def test_a_source_of_nothing_is_noticed():
    notebook = notebook_of("There are 57 rows.")
    notebook.cells[0].metadata["source"] = {"57 rows": "given", "58 rows": "given"}
    (problem,) = problems(ROOT / "x.ipynb", notebook)
    assert (problem.what, problem.why) == ("58 rows", "its source, 'given', supports no number")


def test_the_canary_sees_which_sentence_a_new_output_makes_wrong():
    (path,) = EN.glob("*/1-1-*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "0.74" in output.get("text", ""):
                output.text = output.text.replace("0.74", "0.75")
    (problem,) = problems(path, notebook)
    assert problem.what == "0.74"
    assert "Their similarity is 0.74" in problem.sentence


def test_a_sentence_is_quoted_without_its_neighbors():
    claim = Claim(prose.read("One. It has 57 rows. Two.")[0], "One. It has 57 rows. Two.")
    assert claim.sentence == "It has 57 rows."


# --- What the prose says of the libraries, and no cell prints ---


def test_the_ids_in_the_figure_of_the_steps(sentiment):
    tokenizer, _ = sentiment
    ids = tokenizer("Let's do tokenization!")["input_ids"]
    assert ids == [101, 2292, 1005, 1055, 2079, 19204, 3989, 999, 102]
    words = prose.svg_words(ROOT / "book" / "figures" / "tokenizer-steps.svg").split()
    assert " ".join(map(str, ids)) in " ".join(words)


def test_the_rows_that_map_takes_at_a_time():
    from datasets import Dataset

    assert inspect.signature(Dataset.map).parameters["batch_size"].default == 1000


def test_the_pieces_that_are_sorted_by_length():
    from transformers.trainer_pt_utils import get_length_grouped_indices

    lengths = list(range(10_000))
    order = get_length_grouped_indices(lengths, batch_size=2)
    piece = order[1:100]  # the longest example of all was put in front
    assert piece == sorted(piece, reverse=True)
    assert order[100] > order[99]
