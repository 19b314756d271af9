"""Read texts and labels from your own files, and measure predictions.

`train.py` uses this for `--train FILE`. A file that can't be used raises an
`InputError`, which says what was expected, what was found and what to do.
"""

import csv
import io
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from pyarrow.parquet import read_table

FILES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
WHOLE = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class InputError(ValueError):
    """An error in the input that the user can fix, in one line."""


def read_files(train, validation, columns, seed):
    """Read the rows for training and for validation.

    `columns` says what to read, such as `{"sentence1": "review", "label":
    "stars"}`, with `sentence2` for pairs. The result is a `DatasetDict` with
    these three names as its columns. Its labels are numbers, in the order of
    the labels' names.
    """
    rows = {"train": read_rows(train, "--train", columns)}
    names = label_names(rows["train"], columns["label"], train)
    if validation:
        rows["validation"] = read_rows(validation, "--validation", columns)
        check_known(rows["validation"], names, train, validation)
    else:
        print(
            "No --validation: a tenth of the training rows is kept for it, "
            f"the same share of each label (seed {seed})."
        )
        rows = hold_out(rows["train"], seed)
    kinds = {name: Value("string") for name in columns}
    features = Features(kinds | {"label": ClassLabel(names=names)})
    for split, found in rows.items():
        counts = Counter(row["label"] for row in found.values())
        shares = [f"{name} {counts[name]}" for name in names[:10]]
        more = [f"{len(names) - 10} more labels"] if names[10:] else []
        print(f"{split}: {len(found)} rows ({', '.join(shares + more)})")
    return DatasetDict(
        {
            split: Dataset.from_list(list(found.values()), features=features)
            for split, found in rows.items()
        }
    )


def read_rows(file, option, columns):
    """Read a file into a dict of rows by number, with all values as text."""
    path = Path(file)
    if not path.is_file():
        beside = path.parent.glob("*") if path.parent.is_dir() else ()
        beside = sorted(one.name for one in beside if one.suffix in FILES)
        raise InputError(
            f"Expected {option} to name a file; there is no file {file}. "
            f"That folder has {listed(beside) or 'no such files'}. Check the "
            "name and the folder."
        )
    if path.suffix.lower() not in FILES:
        raise InputError(
            f"Expected a file that ends in {', '.join(FILES)}; got {file}. "
            "From a spreadsheet, save it as CSV UTF-8."
        )
    if not path.stat().st_size:
        raise InputError(
            f"Expected rows in {file}; the file is empty. Check that it was "
            f"saved, or name another with {option}."
        )
    if path.suffix.lower() == ".parquet":
        found = dict(enumerate(read_table(path).to_pylist(), start=1))
    else:
        text = decoded(path)
        read = read_json if ".json" in path.suffix.lower() else read_csv
        found = read(text, file)
    if not found:
        raise InputError(
            f"Expected rows in {file}; it has none. Check that it was saved, "
            f"or name another with {option}."
        )
    # "line" where the file can be opened in an editor
    unit = "row" if path.suffix.lower() == ".parquet" else "line"
    return chosen(found, columns, file, unit)


def decoded(path):
    """Decode a file as UTF-8, with or without a byte order mark."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"Expected {path} to be text in UTF-8; byte {error.start + 1} of "
            f"the file, in line {line}, is 0x{data[error.start]:02x}, which "
            "isn't. Save it again as UTF-8, in a spreadsheet as CSV UTF-8."
        ) from error


def read_csv(text, file):
    """Read a CSV into rows by line number; detect the separator."""
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    csv.field_size_limit(2**31 - 1)  # a text may be long
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    rows = {}
    for row in reader:
        if None in row:
            raise InputError(
                f"Expected {len(reader.fieldnames)} values in each row of "
                f"{file}, as in its header; line {reader.line_num} has "
                f"{len(row[None])} more. Put a text that contains "
                f"{separator!r} in double quotes."
            )
        rows[reader.line_num] = row
    return rows


def read_json(text, file):
    """Read a JSON list, or a file with one JSON object per line."""
    try:
        if text.lstrip().startswith("["):
            rows = dict(enumerate(json.loads(text), start=1))
        else:
            lines = enumerate(text.splitlines(), start=1)
            rows = {n: json.loads(line) for n, line in lines if line.strip()}
        if all(isinstance(row, dict) for row in rows.values()):
            return rows
        problem = "some rows are no objects"
    except json.JSONDecodeError as error:
        problem = str(error)
    raise InputError(
        f'Expected a list of objects in {file}, {{"text": …, "label": …}}, or '
        f"one object a line; {problem}. Write it again with a JSON library."
    )


def chosen(rows, columns, file, unit):
    """Keep the named columns; reject missing values and labels like 0.5."""
    there = list(dict.fromkeys(name for row in rows.values() for name in row))
    options = {"sentence1": "--text", "sentence2": "--text-pair"}
    for role, name in columns.items():
        option = options.get(role, "--label")
        if name not in there:
            raise InputError(
                f"Expected a column {name!r} in {file}; it has "
                f"{listed(map(repr, there), 20)}. Name yours with {option}."
            )
        empty = [number for number in rows if is_empty(rows[number].get(name))]
        if empty:
            raise InputError(
                f"Expected a value of {name!r} in each of the {len(rows)} "
                f"rows of {file}; {len(empty)} have none: {unit} "
                f"{listed(empty)}. Fill them in, or remove these rows."
            )
    texts = {
        number: {
            role: str(row[name]).strip() for role, name in columns.items()
        }
        for number, row in rows.items()
    }
    labels = {number: row["label"] for number, row in texts.items()}
    if all(NUMBER.fullmatch(label) for label in labels.values()):
        for number, label in labels.items():
            if not WHOLE.fullmatch(label):
                raise InputError(
                    f"Expected names or whole numbers in {columns['label']!r} "
                    f"of {file}; {unit} {number} has {label}. Write 1 for "
                    "1.0. Scores that can take any value need a regression; "
                    "to classify instead, name ranges of them."
                )
    return texts


def is_empty(value):
    """Say whether a cell is empty."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or not str(value).strip()


def label_names(rows, column, file):
    """List the labels: numbers by size, names in alphabetical order."""
    names = {row["label"] for row in rows.values()}
    if len(names) < 2:
        raise InputError(
            f"Expected two labels or more in {column!r} of {file}; all "
            f"{len(rows)} rows have {names.pop()!r}. Add rows with another "
            "label, or name another column with --label."
        )
    numbers = all(WHOLE.fullmatch(name) for name in names)
    return sorted(names, key=int if numbers else str)


def check_known(rows, names, train, validation):
    """Reject labels that the training rows don't have."""
    new = Counter(row["label"] for row in rows.values())
    for name in names:
        new.pop(name, None)
    if new:
        found = listed(
            f"{name!r} ({count} rows)" for name, count in new.items()
        )
        raise InputError(
            f"Expected only labels of {train} in {validation}: "
            f"{listed(map(repr, names))}; got {found} as well. Add such rows "
            "to the training file, or remove these."
        )


def hold_out(rows, seed):
    """Split off a tenth of the rows of each label, and at least one of two."""
    draw = random.Random(seed)
    by_label = {}
    for number, row in rows.items():
        by_label.setdefault(row["label"], []).append(number)
    taken = set()
    for _, numbers in sorted(by_label.items()):
        if len(numbers) > 1:
            share = max(1, round(len(numbers) / 10))
            taken |= set(draw.sample(numbers, share))
    if not taken:
        raise InputError(
            f"Expected a label with two rows or more, to keep one for the "
            f"validation; got {len(rows)} rows with a label each. Give a file "
            "with --validation, or name another column with --label."
        )
    return {
        "train": {n: row for n, row in rows.items() if n not in taken},
        "validation": {n: row for n, row in rows.items() if n in taken},
    }


def listed(things, most=5):
    """Join things with commas, and count those that don't fit."""
    things = list(map(str, things))
    more = [f"{len(things) - most} more"] if things[most:] else []
    return ", ".join(things[:most] + more)


class Scores:
    """Collect predictions, then compute accuracy, F1 or both.

    With two labels, F1 is the F1 of the second label, as for MRPC. With more,
    it is the mean over the labels, all with the same weight (macro F1).
    """

    def __init__(self, labels, metric=None):
        self.labels = labels
        self.metric = metric
        self.rows = []

    def add_batch(self, *, predictions, references):
        """Add the rows of a batch: their predicted and their true labels."""
        self.rows += zip(
            predictions.tolist(), references.tolist(), strict=True
        )

    def compute(self):
        """Compute the metrics of all rows, and forget the rows."""
        rows, self.rows = self.rows, []
        predicted, true = map(Counter, zip(*rows, strict=True))
        right = Counter(label for label, other in rows if label == other)
        of_label = {
            label: 2 * right[label] / (predicted[label] + true[label])
            for label in predicted | true
        }
        f1 = sum(of_label.values()) / len(of_label)
        scores = {
            "accuracy": right.total() / len(rows),
            "f1": of_label.get(1, 0.0) if self.labels == 2 else f1,
        }
        return {self.metric: scores[self.metric]} if self.metric else scores
