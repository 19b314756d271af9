"""Train on the paraphrase corpus ahead of time, as 3-2 does: five seeds, and two comparisons.

    make trainings

How much of a score is luck, what pretraining gives and what fine-tuning gives: to see that takes
seven trainings, and a reader runs one of them. Each is trained as in 3-2, with the Trainer, and
stored in ``paraphrases/trainings.json``: its losses and its accuracy on the validation set after
each epoch, and its answers to the test pairs. Settings are chosen on the validation set; the test
pairs are read once, after the last epoch.
"""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from datasets import DatasetDict, disable_progress_bars
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging

from helpers.sources.checkpoints import resolve
from helpers.sources.datasets import load_dataset
from helpers.sources.paraphrases import FOLDER, changes, read_events
from helpers.training import bfloat16_is_faster, bootstrap_interval
from tools.sample_paraphrases import sample_splits, sorts_of, untouched_cosines

RESULTS = FOLDER / "trainings.json"
SEEDS = (42, 1, 2, 3, 4)  # the first is the one of 3-2

EPOCHS = 1
BATCH_SIZE = 8
LEARNING_RATE = 1e-4
NEW_HEAD_RATE = 1e-3  # where nothing but the head is trained, larger steps do better
MODEL = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "attn_implementation": "eager",
}


@dataclass
class Training:
    """One training, and what came of it.

    Parameters
    ----------
    start : str
        What the body of the model begins as: "pretrained", "frozen" (pretrained, and only the
        head is trained) or "random".
    seed : int
        The seed of the head, of the body if it is random, and of the order of the pairs.
    epochs : list of dict
        After each epoch: the mean training loss within it, the loss and accuracy on the
        validation set.
    test_answers : str
        The label given to each test pair, a digit each.
    """

    start: str
    seed: int
    epochs: list[dict[str, float]] = field(default_factory=list)
    test_answers: str = ""


def main() -> None:
    """Train all, two at a time on two cores, and write what came out."""
    planned = [Training("pretrained", seed) for seed in SEEDS]
    planned += [Training(start, SEEDS[0]) for start in ("frozen", "random")]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        trainings = list(pool.map(run, planned))
    settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE}
    results = {
        "settings": {**settings, "learning_rate_frozen": NEW_HEAD_RATE},
        "baselines": baseline_answers(),
        "trainings": [asdict(training) for training in trainings],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(describe(results), indent=2))


def baseline_answers() -> dict[str, str]:
    """Give the answers of three rules to the test pairs, each with the limit that was fitted."""
    fitted = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))["baselines"]
    pairs = sample_splits(read_events())["test"]
    overlaps = np.array([pair.overlap for pair in pairs])
    return {
        "always equivalent": "1" * len(pairs),
        "counting shared words": limited(overlaps, **fitted["overlap_threshold"]),
        "cosine": limited(untouched_cosines(pairs), **fitted["cosine_threshold"]),
    }


def describe(results: dict) -> dict:
    """Compute what the data sheet says of the five seeds, from their answers to the test pairs."""
    topics = read_events()
    pairs = sample_splits(topics)["test"]
    labels = np.array([pair.label for pair in pairs])
    right = {
        one["seed"]: to_labels(one["test_answers"]) == labels
        for one in results["trainings"]
        if one["start"] == "pretrained"
    }
    cosine = to_labels(results["baselines"]["cosine"]) == labels
    changed = changes(topics)
    kinds = [changed.get(pair.first) or changed.get(pair.second, "") for pair in pairs]
    kinds = [kind if label == 0 else "" for kind, label in zip(kinds, labels, strict=True)]
    mean = np.mean(list(right.values()), axis=0)
    return {
        "seeds": {seed: gain(found, cosine) for seed, found in right.items()},
        "by_sort": counts(sorts_of(topics, pairs), mean),
        "by_kind_of_change": counts(kinds, mean),
    }


def gain(right: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Compute an accuracy, and what it gains over another: the mean and its 95% interval."""
    difference = right.astype(int) - other
    low, high = bootstrap_interval(difference)
    numbers = {"accuracy": right.mean(), "gain": difference.mean(), "low": low, "high": high}
    return {name: round(float(number), 3) for name, number in numbers.items()}


def counts(names: list[str], right: np.ndarray) -> dict[str, str]:
    """Write by name how many of how many are right."""
    there = np.array(names)
    return {
        name: f"{right[there == name].sum():.0f} of {(there == name).sum()}"
        for name in sorted({*names} - {""})
    }


def to_labels(answers: str) -> np.ndarray:
    """Read a string with a digit for each answer."""
    return np.array([int(answer) for answer in answers])


def limited(values: np.ndarray, *, least: float | None, most: float | None, **scores: dict) -> str:
    """Write a 1 for each value within the limits, and a 0 for the others."""
    values = np.round(values, 2)
    within = (values >= (least or -np.inf)) & (values <= (most or np.inf))
    return "".join(map(str, within.astype(int)))


def run(training: Training) -> Training:
    """Train once."""
    torch.set_num_threads(1)
    disable_progress_bars()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    checkpoint = resolve("bert-base-uncased", source="bundled")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    data = tokenized(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            new_model(checkpoint, training),
            settings(folder, training),
            train_dataset=data["train"],
            eval_dataset=data["validation"],
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=accuracy,
            callbacks=[Record(training)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        answers = trainer.predict(data["test"]).predictions.argmax(axis=-1)
    training.test_answers = "".join(map(str, answers))
    return training


def tokenized(tokenizer) -> DatasetDict:
    """Load the book's corpus and turn its pairs into ids."""

    def tokenize(rows: dict) -> dict:
        return tokenizer(rows["sentence1"], rows["sentence2"], truncation=True)

    return load_dataset("glue", "mrpc", source="bundled").map(tokenize, batched=True)


def new_model(checkpoint: str, training: Training):
    """Make the model that a training starts from. Its head is new."""
    torch.manual_seed(training.seed)
    load = AutoModelForSequenceClassification
    if training.start == "random":
        return load.from_config(AutoConfig.from_pretrained(checkpoint, num_labels=2, **MODEL))
    model = load.from_pretrained(checkpoint, num_labels=2, **MODEL)
    if training.start == "frozen":
        model.base_model.requires_grad_(False)
    return model


def settings(folder: str, training: Training) -> TrainingArguments:
    """Give the settings of 3-2."""
    return TrainingArguments(
        folder,
        eval_strategy="epoch",
        logging_steps=1,
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=BATCH_SIZE,
        learning_rate=NEW_HEAD_RATE if training.start == "frozen" else LEARNING_RATE,
        bf16=bfloat16_is_faster(),
        use_cpu=True,
        seed=training.seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def accuracy(predicted: EvalPrediction) -> dict[str, float]:
    """Compute the share of right answers."""
    answers = np.argmax(predicted.predictions, axis=-1)
    return {"accuracy": float(np.mean(answers == predicted.label_ids))}


class Record(TrainerCallback):
    """Note the losses and the accuracy of each epoch, and say them."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.losses: list[float] = []

    def on_log(self, args, state, control, **kwargs) -> None:
        """Note the loss of a step."""
        if "loss" in kwargs["logs"]:
            self.losses.append(kwargs["logs"]["loss"])

    def on_evaluate(self, args, state, control, **kwargs) -> None:
        """Note the end of an epoch."""
        epoch = {
            "training_loss": round(float(np.mean(self.losses)), 4),
            "validation_loss": round(kwargs["metrics"]["eval_loss"], 4),
            "validation_accuracy": round(kwargs["metrics"]["eval_accuracy"], 4),
        }
        self.losses.clear()
        self.training.epochs.append(epoch)
        said = ", ".join(f"{name} {value:.3f}" for name, value in epoch.items())
        where = f"{self.training.start}, seed {self.training.seed}"
        print(f"{where}, epoch {len(self.training.epochs)}: {said}", flush=True)


if __name__ == "__main__":
    main()
