"""Batches: each example once, as long as they must be, and in the library's own order."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from recorded import (
    MRPC_COLUMNS,
    MRPC_FIRST,
    MRPC_ROWS,
    MRPC_SHAPES,
    PAIR_CALL,
    PAIR_TOKENS,
    PAIRS_CALL,
    SECOND_PAIR_TOKENS,
)
from transformers import DataCollatorWithPadding
from transformers.trainer_pt_utils import LengthGroupedSampler

from helpers.text.batching import ORDERS, batch_table, make_batches

NOTEBOOK = Path(__file__).parents[2] / "notebooks/en/3-fine-tuning/3-1-processing-the-data.ipynb"

LENGTHS = [3, 9, 4, 8, 5, 7, 6, 2, 9, 3, 5]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 4, 11, 20])
def test_each_example_is_in_one_batch(order, size):
    batches = make_batches(LENGTHS, size, order=order)
    assert sorted(i for batch in batches for i in batch) == list(range(11))
    assert {len(batch) for batch in batches[:-1]} <= {size}


@pytest.mark.parametrize("order", ORDERS)
def test_a_seed_gives_the_same_batches_and_leaves_torchs_own_random_numbers(order):
    lengths = list(range(1, 200))
    before = torch.get_rng_state()
    assert make_batches(lengths, 8, order=order) == make_batches(lengths, 8, order=order)
    assert make_batches(lengths, 8, order=order) != make_batches(lengths, 8, order=order, seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_the_orders_are_those_of_the_libraries():
    lengths = [10 + i * i % 37 for i in range(300)]
    shuffled = torch.utils.data.RandomSampler(lengths, generator=torch.Generator().manual_seed(5))
    grouped = LengthGroupedSampler(16, lengths=lengths, generator=torch.Generator().manual_seed(5))
    for order, sampler in [("shuffled", shuffled), ("by length", grouped)]:
        flat = [i for batch in make_batches(lengths, 16, order=order, seed=5) for i in batch]
        assert flat == list(sampler)


def test_similar_lengths_together_need_less_padding():
    lengths = [10 + i * i % 37 for i in range(300)]
    padding = [
        batch_table(lengths, make_batches(lengths, 16, order=order))["padding"].sum()
        for order in ORDERS
    ]
    assert padding[1] < padding[0] / 2


def test_the_table_counts_what_the_collator_makes(bert_tokenizer):
    """Shapes and padding, against DataCollatorWithPadding itself."""
    rows = [{"input_ids": [101, *[2000] * (n - 2), 102]} for n in LENGTHS]
    batches = make_batches(LENGTHS, 4)
    for setting, padding in [
        ({}, {}),
        ({"multiple": 8}, {"pad_to_multiple_of": 8}),
        ({"width": 12}, {"padding": "max_length", "max_length": 12}),
    ]:
        collate = DataCollatorWithPadding(bert_tokenizer, **padding)
        table = batch_table(LENGTHS, batches, **setting)
        for batch, line in zip(batches, table.itertuples(), strict=True):
            made = collate([rows[i] for i in batch])
            assert made["input_ids"].shape == (line.rows, line.width)
            assert made["attention_mask"].sum() == line.tokens
            assert (made["attention_mask"] == 0).sum() == line.padding


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_batches([], 4), "at least one number"),
        (lambda: make_batches([1], 0), "batch_size must be at least 1; got 0"),
        (lambda: make_batches([1], 1, order="sorted"), "order must be one of .*; got 'sorted'"),
        (lambda: batch_table([9], [[0]], width=8), "at least 9, the longest example; got 8"),
        (lambda: batch_table([9], [[0]], multiple=0), "multiple must be at least 1; got 0"),
        (lambda: make_batches([3, -1], 2), "a length must be at least 0; got -1"),
        (lambda: batch_table([], []), "lengths must hold at least one number"),
        (lambda: batch_table([9], []), "got an empty one"),
        (lambda: batch_table([9], [[0], []]), "got an empty one"),
        (lambda: batch_table([9], [[1]]), "examples from 0 to 0, one for each length; got 1"),
        (lambda: batch_table([9], [[-1]]), "got -1"),
    ],
)
def test_what_makes_no_batch_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_batches([1.5], 1), "a length must be a whole number; got 1.5"),
        (lambda: make_batches(pd.Series([1, None]), 1), "a length must be a whole number"),
        (lambda: make_batches([True], 1), "a length must be a whole number; got True"),
        (lambda: make_batches([1], 2.0), "batch_size must be a whole number; got 2.0"),
        (lambda: make_batches([1], 1, seed="0"), "seed must be a whole number; got '0'"),
        (lambda: batch_table([9], [["0"]]), "an example must be a whole number; got '0'"),
        (lambda: batch_table([9], [[0]], width=9.5), "width must be a whole number; got 9.5"),
    ],
)
def test_numbers_that_are_not_whole_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("kind", [tuple, np.array, torch.tensor, pd.Series])
@pytest.mark.parametrize("order", ORDERS)
def test_lengths_come_in_any_kind(kind, order):
    lengths, size = kind(LENGTHS), kind([4])[0]
    batches = make_batches(lengths, size, order=order)
    assert batches == make_batches(LENGTHS, 4, order=order)
    assert type(batches[0][0]) is int
    pd.testing.assert_frame_equal(
        batch_table(lengths, [kind(batch) for batch in batches]), batch_table(LENGTHS, batches)
    )


@pytest.fixture(scope="module")
def notebook():
    """What notebook 3-1 printed, its token pictures as lines of cells, and its prose."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    pictures = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    rows = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", pictures)
    ]
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return printed, rows, prose


def test_notebook_3_1_prints_the_pairs_of_the_notes_value_by_value(notebook):
    printed, rows, _ = notebook
    for name, values in PAIR_CALL.items():
        assert f"{name:15} {' '.join(map(str, values))}\n" in printed
    for name, batch in PAIRS_CALL.items():
        lines = "".join(f"   {' '.join(map(str, values))}\n" for values in batch)
        assert f"{name}\n{lines}" in printed
    first = [PAIR_TOKENS, *(list(map(str, values)) for values in PAIR_CALL.values())]
    second = [SECOND_PAIR_TOKENS, *(list(map(str, batch[1])) for batch in PAIRS_CALL.values())]
    drawn = [row for row in rows if len(row) == 16]
    assert drawn == first + first + second


def test_notebook_3_1_quotes_what_the_notes_record_of_mrpc(notebook):
    _, _, prose = notebook
    for split, rows in MRPC_ROWS.items():
        assert re.search(rf"{split}: Dataset\(\{{[^}}]*num_rows: {rows}\n", prose)
    assert f"{sum(MRPC_ROWS.values()):,} pairs" in prose
    assert (
        str(MRPC_FIRST).replace(", 'label'", ",\n 'label'").replace(", 'sentence", ",\n 'sentence")
        in prose
    )
    assert str(MRPC_COLUMNS) in prose
    assert "\n".join(f"torch.Size([{rows}, {width}])" for rows, width in MRPC_SHAPES) in prose
