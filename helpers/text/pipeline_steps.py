"""The three steps of a text-classification pipeline, with every intermediate result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.text.checks import check_text
from helpers.text.decoding import decode, label_names, label_scores
from helpers.text.running import run_model, tokenize
from helpers.text.tokens import token_table

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Steps:
    """The result of each step of the pipeline for one text.

    Parameters
    ----------
    text : str
        The text.
    table : pandas.DataFrame
        Its tokens and ids, as `token_table` lists them.
    logits : list of float
        The model's scores, one a label.
    probabilities : list of float
        The softmax or the sigmoid of the logits; for a regression, the logits themselves.
    labels : list of str
        The name of each column of ``logits``.
    answer : dict
        The label with the highest score, and the score, as the pipeline gives them.
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
    tokenizer, model : PreTrainedTokenizerBase, PreTrainedModel
        A checkpoint's tokenizer and its model, a sequence classifier.
    text : str
        The text to classify. What is longer than the model can read is cut.

    Returns
    -------
    Steps
        Tokens, ids, logits, probabilities and answer.
    """
    check_text(text)
    # Step 1: text to ids, (1, seq)
    inputs = tokenize(tokenizer, model, text)
    # Step 2: ids to logits
    logits = run_model(model, inputs)["logits"][0].tolist()  # (labels,)
    # Step 3: logits to an answer
    id2label, problem_type = model.config.id2label or {}, model.config.problem_type
    return Steps(
        text=text,
        table=token_table(tokenizer, inputs),
        logits=logits,
        probabilities=label_scores(logits, problem_type=problem_type).tolist(),
        labels=label_names(id2label, len(logits)),
        answer=decode(logits, id2label, problem_type=problem_type)[0],
        truncated=len(tokenizer(text, verbose=False)["input_ids"]) > inputs["input_ids"].shape[1],
    )
