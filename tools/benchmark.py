"""Time pairs of alternatives: `make bench` prints a table of ratios.

Both sides of a ratio are measured in one run, in turn, and their medians are divided: machines are
noisy, and a number of seconds from one says nothing about another.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

import datasets
import torch
from accelerate.data_loader import SeedableRandomSampler
from torch.utils.benchmark import Timer
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.utils import logging

from helpers.sources.checkpoints import resolve
from helpers.sources.datasets import load_dataset
from helpers.sources.metrics import load_metric
from helpers.training.evaluation import bfloat16_is_faster, evaluate
from helpers.training.loop import linear_schedule, train

SEED = 42  # 3-2's
ROUNDS = 5
STEPS = 15  # of a short measurement
# The book's settings, and those of the checkpoint itself.
BATCH, RATE, EPOCHS = 8, 1e-4, 1
MODEL = {
    "attn_implementation": "eager",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
DEFAULTS = {
    "attn_implementation": "sdpa",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}


class Bench:
    """The corpus, tokenized, and the ways to train on it."""

    def __init__(self) -> None:
        self.checkpoint = resolve("bert-base-uncased")
        self.tokenizer = AutoTokenizer.from_pretrained(self.checkpoint)
        self.raw = load_dataset("glue", "mrpc")
        tokenized = self.raw.map(self.tokenize, batched=True)
        tokenized = tokenized.remove_columns(["sentence1", "sentence2", "idx"])
        self.data = tokenized.rename_column("label", "labels").with_format("torch")
        self.lengths = [len(ids) for ids in self.data["train"]["input_ids"]]
        self.collate = DataCollatorWithPadding(self.tokenizer)
        self.bfloat16 = bfloat16_is_faster()

    def tokenize(self, rows: dict) -> dict:
        """Turn pairs of sentences into ids."""
        return self.tokenizer(rows["sentence1"], rows["sentence2"], truncation=True)

    def model(self, **settings):
        """Load the encoder with a new head, the same each time; with the book's settings."""
        set_seed(SEED)
        return AutoModelForSequenceClassification.from_pretrained(
            self.checkpoint, num_labels=2, **MODEL | settings
        )

    def trainer(self, model=None, **settings) -> Callable:
        """Prepare a Trainer. Return the function that trains."""
        folder = tempfile.TemporaryDirectory()
        trainer = Trainer(
            model or self.model(),
            TrainingArguments(folder.name, use_cpu=True, disable_tqdm=True, **settings),
            train_dataset=self.data["train"],
            data_collator=self.collate,
        )
        trainer.remove_callback(PrinterCallback)

        def run():
            with folder:
                trainer.train()
            return trainer.model

        return run

    def loop(
        self,
        *,
        rows: int | None = None,
        epochs: int = 1,
        by_length: bool = False,
        collate: Callable | None = None,
        bfloat16: bool | None = None,
    ) -> Callable:
        """Prepare our loop with the book's settings, or others. Return what trains."""
        model = self.model()
        data = self.data["train"] if rows is None else self.data["train"].select(range(rows))
        sampler = SeedableRandomSampler(data, data_seed=SEED)  # the Trainer's order, and 3-2's
        if by_length:
            sampler = LengthGroupedSampler(BATCH, lengths=self.lengths[: len(data)])
        loader = DataLoader(
            data, batch_size=BATCH, collate_fn=collate or self.collate, sampler=sampler
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)

        def run():
            train(
                model,
                loader,
                optimizer,
                schedule=linear_schedule(optimizer, loader, epochs=epochs),
                epochs=epochs,
                clip=1.0,
                bfloat16=self.bfloat16 if bfloat16 is None else bfloat16,
                watch=lambda history, steps: None,
            )
            return model

        return run

    def scores(self, model) -> dict[str, float]:
        """Measure a model on the validation set: the test set is read once, in 3-2."""
        loader = DataLoader(self.data["validation"], batch_size=32, collate_fn=self.collate)
        return evaluate(model, loader, load_metric("glue", "mrpc"))


def timed(run: Callable) -> tuple[float, object]:
    """Return the seconds that a call took, and its result."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def ratio(slow: Callable, fast: Callable, rounds: int = ROUNDS) -> float:
    """Return how many times longer the first takes. Each is prepared again before it runs."""
    slow()(), fast()()  # a first call is slower
    times = [(timed(slow())[0], timed(fast())[0]) for _ in range(rounds)]
    return statistics.median(t[0] for t in times) / statistics.median(t[1] for t in times)


def row(name: str, result: str, goal: str = "") -> None:
    """Print a row of the table."""
    print(f"| {name} | {result} | {goal} |", flush=True)


def compare_loops(bench: Bench) -> None:
    """Our loop and the Trainer at the same settings."""
    settings = {
        "max_steps": STEPS,
        "per_device_train_batch_size": BATCH,
        "learning_rate": RATE,
        "bf16": bench.bfloat16,
        "save_strategy": "no",
        "report_to": "none",
    }
    found = ratio(lambda: bench.trainer(**settings), lambda: bench.loop(rows=STEPS * BATCH))
    row("the Trainer / our loop, same settings", f"{found:.2f}", "1.00")


def compare_trainings(bench: Bench) -> None:
    """Whole trainings, once each: the Trainer's defaults, and our loop with the book's settings.

    One run each: seeds differ by about two points of accuracy. 3-2 has a table of five.
    """
    slow, by_defaults = timed(bench.trainer(bench.model(**DEFAULTS)))
    fast, by_us = timed(bench.loop(epochs=EPOCHS))
    scores = bench.scores(by_defaults), bench.scores(by_us)
    f1 = " and ".join(f"{100 * score['f1']:.1f}" for score in scores)
    accuracy = " and ".join(f"{100 * score['accuracy']:.1f}" for score in scores)
    row(
        f"the Trainer's defaults (3 epochs) / the book's settings (epochs: {EPOCHS})",
        f"{slow / fast:.2f} (F1 {f1}, accuracy {accuracy})",
        "5 at equal or better accuracy",
    )


def compare_attention(bench: Bench) -> None:
    """PyTorch's own attention and the formula written out, in a training with bfloat16."""
    steps = {"max_steps": STEPS, "per_device_train_batch_size": BATCH, "save_strategy": "no"}
    steps["bf16"] = bench.bfloat16
    found = ratio(
        lambda: bench.trainer(bench.model(attn_implementation="sdpa"), **steps),
        lambda: bench.trainer(bench.model(attn_implementation="eager"), **steps),
    )
    row("attention 'sdpa' / 'eager', in the precision above", f"{found:.2f}")


def compare_dropout(bench: Bench) -> None:
    """With the checkpoint's dropout and without."""
    steps = {"max_steps": STEPS, "per_device_train_batch_size": BATCH, "save_strategy": "no"}
    steps["bf16"] = bench.bfloat16
    dropout = {name: value for name, value in DEFAULTS.items() if "dropout" in name}
    found = ratio(
        lambda: bench.trainer(bench.model(**dropout), **steps),
        lambda: bench.trainer(**steps),
    )
    row("with dropout / without", f"{found:.2f}")


def compare_padding(bench: Bench) -> None:
    """Batches padded to 512 and to their longest."""

    def pad_to_512(rows: list[dict]) -> dict:
        return bench.tokenizer.pad(rows, padding="max_length", max_length=512, return_tensors="pt")

    found = ratio(
        lambda: bench.loop(rows=2 * BATCH, collate=pad_to_512),
        lambda: bench.loop(rows=2 * BATCH),
        rounds=3,
    )
    row("padding to 512 / dynamic padding", f"{found:.1f}")


def compare_map(bench: Bench) -> None:
    """Tokenizing row by row and in batches."""

    def tokenizing(**how) -> Callable:
        run = partial(bench.raw["train"].map, bench.tokenize, load_from_cache_file=False, **how)
        return lambda: run

    found = ratio(tokenizing(), tokenizing(batched=True))
    row("map row by row / map(batched=True)", f"{found:.1f}")


def share_of_the_machine(bench: Bench) -> None:
    """Compare a training with the machine's matrix products, counting real tokens only."""
    rows = STEPS * BATCH
    model = bench.model()
    layers = [m for m in model.bert.encoder.modules() if isinstance(m, torch.nn.Linear)]
    # a product forward, two backward, of a multiplication and an addition each
    products = sum(6 * layer.weight.numel() for layer in layers) * sum(bench.lengths[:rows])
    for dtype in (torch.float32, torch.bfloat16)[: 1 + bench.bfloat16]:
        shape = layers[-1].weight.shape
        left = torch.randn(BATCH * 64, shape[0], dtype=dtype)
        right = torch.randn(shape, dtype=dtype)
        shares = []
        for _ in range(ROUNDS):
            timer = Timer(
                "left @ right",
                globals={"left": left, "right": right},
                num_threads=torch.get_num_threads(),
            )
            rate = 2 * left.shape[0] * right.numel() / timer.blocked_autorange().median
            run = bench.loop(rows=rows, by_length=True, bfloat16=dtype == torch.bfloat16)
            took, _ = timed(run)
            shares.append(products / took / rate)
        name = f"share of the machine's rate in {str(dtype).removeprefix('torch.')}"
        row(name, f"{100 * statistics.median(shares):.0f}%", "60%")


def main() -> None:
    """Measure everything, and print each ratio at once."""
    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    bench = Bench()
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, bfloat16: {bench.bfloat16}")
    row("What", "Ratio", "Goal")
    row("---", "---", "---")
    for measure in (
        compare_map,
        compare_padding,
        compare_attention,
        compare_dropout,
        compare_loops,
        share_of_the_machine,
        compare_trainings,
    ):
        measure(bench)


if __name__ == "__main__":
    main()
