"""The three steps of a text-classification pipeline, with every result on the way kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.text.decoding import decode, softmax
from helpers.text.tokens import token_table

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Steps:
    """What each step of the pipeline made of one text.

    Parameters
    ----------
    text : str
        The text that went in.
    table : pandas.DataFrame
        Its tokens and ids, as `helpers.text.token_table` lists them.
    logits : list of float
        The model's scores, one a label.
    probabilities : list of float
        Their softmax.
    labels : list of str
        The name of each column of ``logits``.
    answer : dict
        The most probable label and its score, as the pipeline gives it.
    truncated : bool
        Whether the text was cut to what the model can read.
    """

    text: str
    table: pd.DataFrame
    logits: list[float]
    probabilities: list[float]
    labels: list[str]
    answer: dict
    truncated: bool


def three_steps(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, text: str) -> Steps:
    """Tokenize a text, run the model and decode its answer, keeping each result.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        A model with a sequence-classification head, of the same checkpoint, in evaluation mode.
    text : str
        One sentence or more, classified as one text. What is longer than the model can read is cut.

    Returns
    -------
    Steps
        Tokens, ids, logits, probabilities and answer.

    Raises
    ------
    TypeError
        If ``text`` is not a string.
    ValueError
        If ``text`` holds nothing but white space.
    """
    import torch

    if not isinstance(text, str):
        raise TypeError(f"text must be one string; got {type(text).__name__}.")
    if not text.strip():
        raise ValueError("text must hold at least one word; got an empty text. Type a sentence.")
    # Step 1: text to ids
    inputs = tokenizer(text, truncation=True, return_tensors="pt")  # input_ids: (1, seq)
    # Step 2: ids to logits
    with torch.inference_mode():
        logits = model(**inputs).logits[0].tolist()  # (labels,)
    # Step 3: logits to an answer
    id2label = model.config.id2label
    return Steps(
        text=text,
        table=token_table(tokenizer, inputs),
        logits=logits,
        probabilities=softmax(logits),
        labels=[id2label[column] for column in range(len(logits))],
        answer=decode(logits, id2label)[0],
        truncated=len(tokenizer(text, verbose=False)["input_ids"]) > inputs["input_ids"].shape[1],
    )
