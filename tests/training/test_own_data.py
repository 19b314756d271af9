"""What train.py reads from a reader's own file, and what it says of one that it can't use."""

import csv
import json
import random
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks" / "en" / "3-fine-tuning"
ROWS = [("a fine film", "good"), ("an awful film", "bad"), ("a plain film", "so-so")]


@pytest.fixture(scope="module")
def own_data():
    """The module beside the script, which is in no package."""
    sys.path.append(str(FOLDER))
    import own_data

    return own_data


@pytest.fixture
def read(own_data, tmp_path, monkeypatch):
    """Read files of this test, given as they are or as rows below `text,label`."""
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        if isinstance(content, list):
            with Path(name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("text", "label"), *content])
        elif content is not None:
            Path(name).write_bytes(content)

    def read(train, validation=None, *, name="train.csv", **columns):
        write(name, train)
        write("validation.csv", validation)
        columns = {"sentence1": "text", "label": "label", **columns}
        return own_data.read_files(name, validation and "validation.csv", columns, 0)

    return read


def rows_of(data):
    """Give the rows as a reader sees them: texts, and the names of labels."""
    names = data.features["label"].names
    return [(row["sentence1"], names[row["label"]]) for row in data]


def test_what_is_written_is_read(read, capsys):
    data = read(ROWS * 2, ROWS)
    assert rows_of(data["train"]) == ROWS * 2
    assert rows_of(data["validation"]) == ROWS
    assert data["train"].features["label"].names == ["bad", "good", "so-so"]
    assert "train: 6 rows (bad 2, good 2, so-so 2)" in capsys.readouterr().out


def test_whole_numbers_are_labels_in_their_order(read):
    data = read([("a", number) for number in (10, 9, -1, 10)], [("b", 9)])
    assert data["train"].features["label"].names == ["-1", "9", "10"]
    assert data["train"]["label"][:] == [2, 1, 0, 2]


def test_a_pair_has_two_texts(read):
    data = read(
        b"text,label,other\na,yes,b\nc,no,d\n", b"text,label,other\ne,yes,f\n", sentence2="other"
    )
    assert data["train"].column_names == ["sentence1", "label", "sentence2"]
    assert data["train"]["sentence2"][:] == ["b", "d"]


# One content in many forms: quotes, line breaks and separators inside a text, words that pandas
# would take for a missing value, and the mark with which a spreadsheet begins a file.
HARD = [
    ('a, b; "c"', "None"),
    ("first line\nsecond\tline", "NA"),
    ("null", "None"),
    ("ÄÖ é 好", "NA"),
]
QUOTED = "\r\n".join('"{}"{{0}}"{}"'.format(text.replace('"', '""'), label) for text, label in HARD)
AS_OBJECTS = [{"text": text, "label": label} for text, label in HARD]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comma.csv", "text,label\r\n" + QUOTED.format(",")),
        ("semicolon.csv", "\ufefftext;label\r\n" + QUOTED.format(";") + "\r\n\r\n"),
        ("tab.tsv", "text\tlabel\r\n" + QUOTED.format("\t")),
        ("list.json", json.dumps(AS_OBJECTS, indent=2)),
        ("lines.jsonl", "\n".join(map(json.dumps, AS_OBJECTS)) + "\n"),
        ("lines.json", "\n".join(json.dumps(row, ensure_ascii=False) for row in AS_OBJECTS)),
    ],
)
def test_every_form_of_a_file_is_read(name, content, read):
    assert rows_of(read(content.encode(), HARD, name=name)["train"]) == HARD


def test_parquet_is_read(read, tmp_path):
    from datasets import Dataset

    Dataset.from_list(AS_OBJECTS).to_parquet(tmp_path / "rows.parquet")
    assert rows_of(read(None, HARD, name="rows.parquet")["train"]) == HARD


def test_without_validation_a_tenth_of_each_label_is_kept_for_it(read, capsys):
    rows = [(f"{label} {number}", label) for label in ("a", "b") for number in range(40)]
    rows += [("c 0", "c"), ("c 1", "c"), ("only", "d")]
    data, again = read(rows), read(rows)
    assert "No --validation: a tenth of the training rows is kept for it" in capsys.readouterr().out
    kept = rows_of(data["validation"])
    assert [sum(label == name for _, label in kept) for name in "abcd"] == [4, 4, 1, 0]
    assert sorted(kept + rows_of(data["train"])) == sorted(rows)
    assert kept != [row for row in rows if row[0].endswith((" 0", " 1", " 2", " 3"))]  # drawn
    assert rows_of(again["validation"]) == kept


# What is wrong with a training file, and what has to be in the line that says so.
BROKEN = {
    "no file": (None, "Expected --train to name a file; there is no file train.csv. That folder"),
    "an empty file": (b"", "Expected rows in train.csv; the file is empty."),
    "a header only": (b"text,label\n", "Expected rows in train.csv; it has none."),
    "another column": (
        b"review,stars\nfine,5\nawful,1\n",
        "Expected a column 'text' in train.csv; it has 'review', 'stars'. Name yours with --text.",
    ),
    "another label column": (
        b"text,stars\nfine,5\nawful,1\n",
        "a column 'label' in train.csv; it has 'text', 'stars'. Name yours with --label.",
    ),
    "a single label": (
        [("a", "good"), ("b", "good")],
        "two labels or more in 'label' of train.csv; all 2 rows have 'good'.",
    ),
    "texts that are missing": (
        [("a", "x"), ("", "y"), ("b", "x"), ("  ", "y")],
        "a value of 'text' in each of the 4 rows of train.csv; 2 have none: line 3, 5.",
    ),
    "labels that are missing": (
        b"text,label\na,x\n\nb\n" + b"c,\n" * 7,
        "a value of 'label' in each of the 9 rows of train.csv; 8 have none: line 4, 5, 6, 7, 8, "
        "3 more.",
    ),
    "not UTF-8": (
        "text,label\nein Film,gut\nein schöner,gut\n".encode("latin-1"),
        "Expected train.csv to be text in UTF-8; byte 32 of the file, in line 3, is 0xf6",
    ),
    "floats": ([("a", "1"), ("b", "0.5")], "'label' of train.csv; line 3 has 0.5."),
    "whole numbers as floats": ([("a", "1.0"), ("b", "2.0")], "line 2 has 1.0. Write 1 for 1.0."),
    "a text with a comma": (
        b"text,label\nfine, really,good\nawful,bad\n",
        "Expected 2 values in each row of train.csv, as in its header; line 2 has 1 more.",
    ),
    "a label for each row": ([("a", "x"), ("b", "y")], "Expected a label with two rows or more"),
}


def refusal(own_data, function, *arguments, **options) -> str:
    with pytest.raises(own_data.InputError) as error:
        function(*arguments, **options)
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith("Expected ")
    assert line.count(". ") >= 1, "it says what to do"
    return line


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(fault, own_data, read):
    content, message = BROKEN[fault]
    assert message in refusal(own_data, read, content)


def test_a_missing_file_is_looked_for_among_its_neighbors(own_data, read):
    Path("trian.csv").touch()
    Path("notes.txt").touch()
    assert "That folder has trian.csv. Check the name" in refusal(own_data, read, None)


def test_labels_that_training_never_saw_are_counted(own_data, read):
    line = refusal(own_data, read, ROWS * 2, [*ROWS, ("a", "great"), ("b", "great")])
    assert "labels of train.csv in validation.csv: 'bad', 'good', 'so-so'; got 'great' (2" in line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.xlsx", b"PK", "Expected a file that ends in .csv, .tsv, .json, .jsonl, .parquet"),
        ("rows.json", b"[1, 2]", "a list of objects in rows.json"),
        ("rows.jsonl", b'{"text": "a"\n', "one object a line; Expecting"),
        ("rows.jsonl", b'{"text": "a", "label": 0.5}\n' * 2, "rows.jsonl; line 1 has 0.5"),
        ("rows.jsonl", b'{"text": "a", "label": null}\n' * 2, "2 have none: line 1, 2."),
    ],
)
def test_other_files_are_refused_as_clearly(name, content, message, own_data, read):
    assert message in refusal(own_data, read, content, name=name)


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_the_scores_are_those_of_scikit_learn(labels, own_data):
    import torch
    from sklearn.metrics import accuracy_score, f1_score

    draw = random.Random(labels)
    true = [draw.randrange(min(labels, 5)) for _ in range(50)]
    predicted = [label if draw.random() < 0.6 else draw.randrange(labels) for label in true]
    scores = own_data.Scores(labels)
    for part in (slice(0, 30), slice(30, 50)):
        scores.add_batch(
            predictions=torch.tensor(predicted[part]), references=torch.tensor(true[part])
        )
    expected = {
        "accuracy": accuracy_score(true, predicted),
        "f1": f1_score(true, predicted, average="binary" if labels == 2 else "macro"),
    }
    assert scores.compute() == pytest.approx(expected)
    one = own_data.Scores(labels, "f1")
    one.add_batch(predictions=torch.tensor(predicted), references=torch.tensor(true))
    assert one.compute() == pytest.approx({"f1": expected["f1"]})


def test_the_scores_are_those_of_the_metric_of_mrpc(own_data):
    import torch

    from helpers.sources import load_metric

    for predicted, true in [([1, 0, 1, 1], [1, 1, 0, 1]), ([0, 0], [0, 0]), ([0, 1], [1, 0])]:
        batch = {"predictions": torch.tensor(predicted), "references": torch.tensor(true)}
        ours, theirs = own_data.Scores(2), load_metric("glue", "mrpc")
        ours.add_batch(**batch)
        theirs.add_batch(**batch)
        assert ours.compute() == theirs.compute()
