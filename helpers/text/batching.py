"""How examples are put into batches, and how much of each batch is padding."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.text.checks import check_choice, check_integer

ORDERS = ("shuffled", "by length")


def make_batches(
    lengths: Sequence[int], batch_size: int, *, order: str = "shuffled", seed: int = 0
) -> list[list[int]]:
    """Put examples into batches as a data loader does in one epoch.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    batch_size : int
        How many examples make a batch; the last one may be smaller.
    order : {"shuffled", "by length"}, default "shuffled"
        "shuffled" is a random order. "by length" is that of `transformers`'
        ``LengthGroupedSampler``: shuffled, then sorted by length within pieces of up to 50 batches.
    seed : int, default 0
        The seed of the random numbers. torch's global random state doesn't change.

    Returns
    -------
    list of list of int
        For each batch, which examples it holds. Each example is in one batch.

    Raises
    ------
    ValueError
        If there is no example, a number is too small, or the order is not a known one.
    """
    import torch

    lengths = _check_lengths(lengths)
    batch_size = check_integer(batch_size, "batch_size")
    check_choice(order, "order", ORDERS)
    generator = torch.Generator().manual_seed(check_integer(seed, "seed", least=None))
    if order == "by length":
        # The Trainer's own sampler, for its order. transformers exports it from this module only;
        # test_the_orders_are_those_of_the_libraries fails if it moves.
        from transformers.trainer_pt_utils import LengthGroupedSampler

        examples = list(LengthGroupedSampler(batch_size, lengths=lengths, generator=generator))
    else:
        examples = torch.randperm(len(lengths), generator=generator).tolist()
    return [examples[i : i + batch_size] for i in range(0, len(examples), batch_size)]


def batch_table(
    lengths: Sequence[int],
    batches: Sequence[Sequence[int]],
    *,
    width: int | None = None,
    multiple: int = 1,
) -> pd.DataFrame:
    """Count the tokens and the padding of each batch.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    batches : sequence of sequence of int
        For each batch, which examples it holds, as `make_batches` gives them.
    width : int, optional
        The length that every row is padded to. None means that of the longest row in its batch.
    multiple : int, default 1
        Round each width up to a multiple of this number.

    Returns
    -------
    pandas.DataFrame
        One row a batch: ``rows``, ``width``, ``tokens`` (real ones) and ``padding``. A batch is a
        tensor of ``(rows, width)``; tokens and padding add up to it.

    Raises
    ------
    ValueError
        If a batch is empty or holds an example that isn't there, or ``width`` is too small.
    """
    lengths = _check_lengths(lengths)
    multiple = check_integer(multiple, "multiple")
    if len(batches) == 0 or any(len(batch) == 0 for batch in batches):
        raise ValueError(
            "batches must hold at least one batch, and each batch one example; got an empty one. "
            "Take them from make_batches."
        )
    examples = [check_integer(i, "an example", least=None) for batch in batches for i in batch]
    if wrong := [i for i in examples if not 0 <= i < len(lengths)]:
        raise ValueError(
            f"batches must hold examples from 0 to {len(lengths) - 1}, one for each length; got "
            f"{wrong[0]}. Make them from the same lengths."
        )
    longest = max(lengths)
    if width is not None and longest > check_integer(width, "width"):
        raise ValueError(
            f"width must be at least {longest}, the longest example; got {width}. Padding never "
            "cuts: truncate first."
        )
    rows = []
    for batch in batches:
        columns = max(lengths[i] for i in batch) if width is None else width
        columns = -(-columns // multiple) * multiple  # rounded up
        tokens = sum(lengths[i] for i in batch)
        rows.append((len(batch), columns, tokens, len(batch) * columns - tokens))
    return pd.DataFrame(rows, columns=["rows", "width", "tokens", "padding"])


def _check_lengths(lengths: Sequence[int]) -> list[int]:
    """Give the lengths as a list of int, after checking that they are whole numbers."""
    if len(lengths) == 0:
        raise ValueError("lengths must hold at least one number; got none. Is the data set empty?")
    return [check_integer(length, "a length", least=0) for length in lengths]
