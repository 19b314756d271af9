"""Fine-tune a classifier of sentence pairs, on one processor or on many.

    python train.py
    accelerate launch train.py
    ACCELERATE_USE_CPU=true torchrun --standalone --nproc_per_node 2 train.py

The first trains in one process, the second on what `accelerate config` was
told of, such as several GPUs, the third in two processes on this CPU.

The lines that a plain PyTorch script has not, or has in another form, are
marked `# Accelerate`. The script prints one line of JSON; progress and
remarks go to standard error.

To use it without the book, import `load_dataset` from datasets and call it
with "nyu-mll/glue", import `load` from evaluate in place of `load_metric`,
and write the checkpoint's name without `resolve`.
"""

import argparse
import json
import math
import sys
from contextlib import redirect_stdout

import torch
from accelerate import Accelerator  # Accelerate
from accelerate.utils import set_seed
from helpers.sources import (
    load_dataset,  # the book's own
    load_metric,  # the book's own
    resolve,  # the book's own
)
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    get_scheduler,
)
from transformers.utils import logging

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def load_data(tokenizer, args):
    """Give the batches for training and those for evaluation."""

    def tokenize(rows):
        return tokenizer(rows["sentence1"], rows["sentence2"], truncation=True)

    data = load_dataset("glue", "mrpc")
    if args.rows:
        rows = min(args.rows, data["train"].num_rows)
        data["train"] = data["train"].select(range(rows))
    data = data.map(tokenize, batched=True)
    data = data.remove_columns(["sentence1", "sentence2", "idx"])
    data = data.rename_column("label", "labels").with_format("torch")
    collate = DataCollatorWithPadding(tokenizer)
    train_loader = DataLoader(
        data["train"],
        batch_size=args.batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(args.seed),
        collate_fn=collate,
    )
    eval_loader = DataLoader(
        data["validation"], batch_size=args.batch_size, collate_fn=collate
    )
    return train_loader, eval_loader


def evaluate(accelerator, model, loader, metric):
    """Measure the model on all rows, each of them counted once."""
    model.eval()
    for batch in loader:
        with torch.no_grad():
            logits = model(**batch).logits  # (batch, 2)
        predictions, labels = accelerator.gather_for_metrics(  # Accelerate
            (logits.argmax(dim=-1), batch["labels"])
        )
        metric.add_batch(predictions=predictions, references=labels)
    return metric.compute()


def train(accelerator, model, train_loader, eval_loader, metric, args):
    """Train the model in place; give the losses and the evaluations."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=args.learning_rate, weight_decay=0.0, fused=True
    )
    model, optimizer, train_loader, eval_loader = accelerator.prepare(
        model, optimizer, train_loader, eval_loader
    )  # Accelerate
    steps = args.epochs * math.ceil(
        len(train_loader) / args.gradient_accumulation
    )
    schedule = get_scheduler(
        "linear", optimizer, 0, steps * accelerator.num_processes
    )  # Accelerate
    schedule = accelerator.prepare(schedule)  # Accelerate

    losses = []
    scores = evaluate(accelerator, model, eval_loader, metric)
    evaluations = [{"epoch": 0, **scores}]
    main_process = accelerator.is_main_process  # Accelerate
    bar = tqdm(total=steps, unit="step", disable=not main_process)
    for epoch in range(1, args.epochs + 1):
        model.train()
        for batch in train_loader:
            with accelerator.accumulate(model):  # Accelerate
                loss = model(**batch).loss
                accelerator.backward(loss)  # Accelerate
                if accelerator.sync_gradients:  # Accelerate
                    accelerator.clip_grad_norm_(  # Accelerate
                        model.parameters(), 1.0
                    )
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            losses.append(loss.detach())
            bar.update(accelerator.sync_gradients)  # Accelerate
        scores = evaluate(accelerator, model, eval_loader, metric)
        evaluations.append({"epoch": epoch, **scores})
    bar.close()
    losses = accelerator.reduce(torch.stack(losses), "mean")  # Accelerate
    processes = accelerator.num_processes  # Accelerate
    return {
        "processes": processes,
        "steps": steps,
        "losses": losses.tolist(),
        "evaluations": evaluations,
    }


def main(arguments=None):
    """Load, train, save, and print the result."""
    args = parse(arguments)
    accelerator = Accelerator(  # Accelerate
        mixed_precision=args.mixed_precision,
        gradient_accumulation_steps=args.gradient_accumulation,
    )
    main_process = accelerator.is_main_process  # Accelerate
    if not main_process:  # one process speaks for all
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    set_seed(args.seed)
    with redirect_stdout(sys.stderr if main_process else None):
        checkpoint = resolve("bert-base-uncased")
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        # PyTorch's own attention is slow on a CPU, trained with bfloat16
        on_cpu = accelerator.device.type == "cpu"  # Accelerate
        model = AutoModelForSequenceClassification.from_pretrained(
            checkpoint,
            num_labels=2,
            attn_implementation="eager" if on_cpu else "sdpa",
            **(NO_DROPOUT if args.no_dropout else {}),
        )
        loaders = load_data(tokenizer, args)
        metric = load_metric("glue", "mrpc")

    result = train(accelerator, model, *loaders, metric, args)

    if main_process:
        if args.output:
            model = accelerator.unwrap_model(model)  # Accelerate
            model.save_pretrained(args.output)
            tokenizer.save_pretrained(args.output)
        print(json.dumps(result), flush=True)
    accelerator.end_training()  # Accelerate


def parse(arguments):
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=positive, default=3)
    parser.add_argument(
        "--batch-size",
        type=positive,
        default=8,
        help="rows that each process takes at a time (default: 8)",
    )
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument(
        "--mixed-precision", choices=["no", "bf16", "fp16"], default="no"
    )
    parser.add_argument(
        "--gradient-accumulation",
        type=positive,
        default=1,
        help="batches that make one step (default: 1)",
    )
    parser.add_argument(
        "--no-dropout",
        action="store_true",
        help="switch dropout off; a CPU is faster without",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--rows", type=positive, help="train on the first so many rows only"
    )
    parser.add_argument("--output", help="the folder to save the model in")
    return parser.parse_args(arguments)


def positive(text):
    """Read a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of 1 or more, got {text!r}"
        )
    return int(text)


if __name__ == "__main__":
    main()
