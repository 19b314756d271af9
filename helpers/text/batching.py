"""How examples are put into batches, and how much of each batch is padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

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
        "shuffled" is any order. "by length" is that of `transformers`' ``LengthGroupedSampler``:
        shuffled, then sorted by length within pieces of up to 50 batches.
    seed : int, default 0
        Where the random numbers start. None of torch's own are drawn.

    Returns
    -------
    list of list of int
        For each batch, which examples it holds. Each example is in one batch.

    Raises
    ------
    ValueError
        If there is no example, the batch size is not positive, or the order is not a known one.
    """
    import torch

    if not len(lengths):
        raise ValueError("lengths must hold at least one number, one for each example; got none.")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}.")
    if order not in ORDERS:
        raise ValueError(f"order must be one of {ORDERS}; got {order!r}.")
    generator = torch.Generator().manual_seed(seed)
    if order == "by length":
        from transformers.trainer_pt_utils import LengthGroupedSampler

        sampler = LengthGroupedSampler(batch_size, lengths=list(lengths), generator=generator)
        examples = list(sampler)
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
    """List what becomes of each batch when it is padded.

    Parameters
    ----------
    lengths : sequence of int
        How many tokens each example has.
    batches : sequence of sequence of int
        For each batch, which examples it holds, as `make_batches` gives them.
    width : int, optional
        How long every row is made. None means as long as the longest row of its own batch.
    multiple : int, default 1
        Round each width up to a multiple of this number.

    Returns
    -------
    pandas.DataFrame
        One row a batch, with the columns ``rows``, ``width``, ``tokens`` (real ones) and
        ``padding``. A batch is a tensor of ``(rows, width)``; tokens and padding add up to it.

    Raises
    ------
    ValueError
        If an example is longer than ``width``, or ``multiple`` is not positive.
    """
    import pandas as pd

    if multiple < 1:
        raise ValueError(f"multiple must be at least 1; got {multiple}.")
    longest = max(lengths)
    if width is not None and longest > width:
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
