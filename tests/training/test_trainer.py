"""The Trainer: what the notes say of it is still so, and notebook 3-2 says it."""

import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from recorded import MRPC_ROWS, TRAINER_DEFAULTS

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "en" / "3-fine-tuning" / "3-2-the-trainer.ipynb"


@pytest.fixture(scope="module")
def notebook():
    """What notebook 3-2 printed, its code, and its prose on one line."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return printed, code, prose


@pytest.fixture
def pairs(bert_tokenizer):
    """Twelve pairs, tokenized, their sentences kept, eight of them equivalent."""
    from datasets import Dataset

    rows = {
        "sentence1": [f"The first sentence has {n} words." for n in range(12)],
        "sentence2": [f"The number of its words is {n}." for n in range(12)],
        "label": [1, 1, 0] * 4,
    }
    tokenized = bert_tokenizer(rows["sentence1"], rows["sentence2"])
    return Dataset.from_dict(rows | dict(tokenized))


@pytest.fixture
def trainer(pairs, bert_tokenizer, tmp_path):
    """A Trainer of a very small model, with the settings that it has if one says nothing."""
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )

    config = BertConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    trainer = Trainer(
        BertForSequenceClassification(config),
        TrainingArguments(tmp_path / "test-trainer", disable_tqdm=True, use_cpu=True),
        train_dataset=pairs,
        eval_dataset=pairs,
        processing_class=bert_tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def test_the_defaults_are_those_of_the_notes_and_notebook_3_2_prints_them(notebook, tmp_path):
    from transformers import TrainingArguments

    printed, _, _ = notebook
    arguments = TrainingArguments(tmp_path / "test-trainer")
    for name, value in TRAINER_DEFAULTS.items():
        assert getattr(arguments, name) == value
        assert re.search(rf"^{name} +{re.escape(str(value))}$", printed, re.MULTILINE), name
    assert list(tmp_path.iterdir()) == []


def test_the_defaults_report_no_quality(trainer):
    """Three epochs of two steps: the loss is told once, at the end, and nothing else is."""
    trainer.train()
    (only,) = trainer.state.log_history
    assert only["step"] == 6
    assert {"train_loss"} == {name for name in only if "loss" in name}
    about_the_model = {name for name in trainer.evaluate() if "time" not in name}
    about_the_model -= {"epoch"} | {name for name in about_the_model if "per_second" in name}
    assert about_the_model == {"eval_loss"}


def test_a_prediction_has_the_shapes_of_the_notes(trainer, pairs):
    """(408, 2) and (408,) for MRPC's validation set: a row for each pair, a column a label."""
    predictions = trainer.predict(pairs)
    assert predictions.predictions.shape == (len(pairs), 2)
    assert predictions.label_ids.shape == (len(pairs),)
    assert predictions.label_ids.tolist() == pairs["label"][:]  # in their order


def test_without_a_collator_the_trainer_makes_one_that_pads(trainer):
    assert type(trainer.data_collator).__name__ == "DataCollatorWithPadding"


def test_the_trainer_passes_on_what_the_model_takes_and_renames_the_labels(trainer):
    batch = next(iter(trainer.get_train_dataloader()))
    assert {"input_ids", "token_type_ids", "attention_mask", "labels"} == set(batch)


def test_notebook_3_2_quotes_what_the_notes_record_of_mrpc(notebook):
    _, _, prose = notebook
    prose = " ".join(prose.split())
    steps = 3 * math.ceil(MRPC_ROWS["train"] / TRAINER_DEFAULTS["per_device_train_batch_size"])
    reports = steps // TRAINER_DEFAULTS["logging_steps"]
    assert f"MRPC has {MRPC_ROWS['train']:,} pairs to train on" in prose
    assert f"{steps:,} steps and {['no', 'one', 'two'][reports]} reports" in prose
    rows = MRPC_ROWS["validation"]
    assert f"MRPC has {rows} pairs in its validation set" in prose
    assert f"`({rows}, 2)` and `({rows},)`" in prose


def test_the_example_of_a_metric_is_right_by_hand_and_by_what_glue_uses(notebook):
    """GLUE's own script computes MRPC's numbers with these two functions of scikit-learn."""
    from sklearn.metrics import accuracy_score, f1_score

    printed, code, prose = notebook
    references = np.array(re.search(r"references = (\[.*?\])", code)[1].strip("[]").split(", "))
    predictions = np.array(re.search(r"predictions = (\[.*?\])", code)[1].strip("[]").split(", "))
    for name, row in (("label", references), ("prediction", predictions)):
        assert f"| {name} | {' | '.join(row)} |" in prose
    references, predictions = references.astype(int), predictions.astype(int)
    always = np.ones(6, dtype=int)
    accuracy, f1 = accuracy_score(references, predictions), f1_score(references, predictions)
    assert f"accuracy  {accuracy:.3f}\nf1        {f1:.3f}\n" in printed
    accuracy, f1 = accuracy_score(references, always), f1_score(references, always)
    assert f"accuracy {accuracy:.3f}, f1 {f1:.3f}\n" in printed


def test_the_training_of_notebook_3_2_learns(notebook):
    """It says so itself, and by the shapes that the notes print."""
    printed, _, _ = notebook
    before, after, *baselines = (
        float(re.search(rf"^{name} +(0\.\d+)$", printed, re.MULTILINE)[1])
        for name in (
            "before the training",
            "after the training",
            "always equivalent",
            "counting shared words",
        )
    )
    assert before < max(baselines) < after
    rows = re.search(r"^\((\d+), 2\) \((\d+),\)$", printed, re.MULTILINE)
    assert rows[1] == rows[2]
