"""Fine-tune a classifier of texts or text pairs, on one processor or on many.

    python train.py
    python train.py --train reviews.csv --text review --label stars
    accelerate launch train.py
    ACCELERATE_USE_CPU=true torchrun --standalone --nproc_per_node 2 train.py

The first command trains on the pairs of MRPC. The second trains on a file of
your own, which `own_data.py` in this folder reads. The third starts as many
processes as you told `accelerate config`, such as one for each GPU. The
fourth starts two processes on this CPU. `--help` lists the options.

Lines that a plain PyTorch script doesn't have, or writes differently, are
marked `# Accelerate`. The script prints one line of JSON. Progress and
messages go to standard error. `progress.py` saves everything needed to resume.

To use it without the book, import `load_dataset` from datasets, call it with
"nyu-mll/glue", and write the checkpoint's name without `resolve`.
"""

import argparse
import json
import math
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path

import torch
from accelerate import Accelerator  # Accelerate
from accelerate.utils import set_seed
from datasets import disable_progress_bars
from helpers.sources import (
    CheckpointError,  # the book's own
    load_dataset,  # the book's own
    resolve,  # the book's own
)
from own_data import InputError, Scores, read_files
from progress import Bar, close_output, load_state, open_output, save_state
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    get_scheduler,
)
from transformers.utils import logging


def load_rows(args):
    """Load the texts and labels for training and for validation."""
    if args.train:
        columns = {"sentence1": args.text, "label": args.label}
        if args.text_pair:
            columns["sentence2"] = args.text_pair
        data = read_files(args.train, args.validation, columns, args.seed)
    else:
        data = load_dataset("glue", "mrpc").remove_columns("idx")
    if args.rows:
        rows = min(args.rows, data["train"].num_rows)
        if args.train:  # a file may be sorted
            data["train"] = data["train"].shuffle(args.seed)
        data["train"] = data["train"].select(range(rows))
    return data


def load_model(args, labels, on_cpu):
    """Load the checkpoint with a head for these labels, and its tokenizer."""
    checkpoint = args.checkpoint
    if not Path(checkpoint).is_dir():
        # if it isn't one of the book's, from_pretrained asks the Hub
        with suppress(ValueError):
            checkpoint = resolve(checkpoint)
    set_seed(args.seed)
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        model = AutoModelForSequenceClassification.from_pretrained(
            checkpoint,
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            ignore_mismatched_sizes=True,  # a head for other labels is new
            # on a CPU, sdpa is slow to train with bfloat16
            attn_implementation="eager" if on_cpu else "sdpa",
        )
    except OSError as error:
        raise InputError(
            f"Expected --checkpoint to be a folder with a model, or a name on "
            f"the Hub that can be reached; got {args.checkpoint!r}: "
            f"{str(error).splitlines()[0]} Check the name and the network."
        ) from error
    if tokenizer.pad_token is None:  # as GPT-2's
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    if args.no_dropout:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    return model, tokenizer


def make_loaders(data, tokenizer, args):
    """Make the data loaders for training and for evaluation."""
    texts = [name for name in data["train"].column_names if name != "label"]

    def tokenize(rows):
        return tokenizer(*(rows[name] for name in texts), truncation=True)

    data = data.map(tokenize, batched=True, remove_columns=texts)
    data = data.rename_column("label", "labels").with_format("torch")
    collate = DataCollatorWithPadding(tokenizer)
    train_loader = DataLoader(
        data["train"],
        batch_size=args.batch_size,
        shuffle=True,
        generator=torch.Generator(),
        collate_fn=collate,
    )
    eval_loader = DataLoader(
        data["validation"], batch_size=args.batch_size, collate_fn=collate
    )
    return train_loader, eval_loader


def evaluate(accelerator, model, loader, metric):
    """Evaluate the model on all rows, and count each row once."""
    model.eval()
    for batch in loader:
        with torch.no_grad():
            logits = model(**batch).logits  # (batch, labels)
        predictions, labels = accelerator.gather_for_metrics(  # Accelerate
            (logits.argmax(dim=-1), batch["labels"])
        )
        metric.add_batch(predictions=predictions, references=labels)
    return metric.compute()


def train(accelerator, model, train_loader, eval_loader, metric, args):
    """Train the model in place; give the losses and the evaluations."""
    order = train_loader.generator
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=args.learning_rate, weight_decay=0.0, fused=True
    )
    model, optimizer, train_loader, eval_loader = accelerator.prepare(
        model, optimizer, train_loader, eval_loader
    )  # Accelerate
    steps = math.ceil(len(train_loader) / args.gradient_accumulation)
    schedule = get_scheduler(
        "linear",
        optimizer,
        num_warmup_steps=0,
        num_training_steps=args.epochs * steps * accelerator.num_processes,
    )  # Accelerate
    schedule = accelerator.prepare(schedule)  # Accelerate

    result = load_state(accelerator, args)
    if result is None:
        scores = evaluate(accelerator, model, eval_loader, metric)
        result = {
            "processes": accelerator.num_processes,  # Accelerate
            "steps": args.epochs * steps,
            "losses": [],
            "evaluations": [{"epoch": 0, **scores}],
        }
    done = result["evaluations"][-1]["epoch"]
    main_process = accelerator.is_main_process  # Accelerate
    bar = Bar(
        total=args.epochs * steps,
        initial=done * steps,
        unit="step",
        disable=not main_process,
    )
    for epoch in range(done + 1, args.epochs + 1):
        order.manual_seed(args.seed + epoch - 1)  # so it can be resumed here
        model.train()
        losses = []
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
        losses = accelerator.reduce(torch.stack(losses), "mean")  # Accelerate
        scores = evaluate(accelerator, model, eval_loader, metric)
        result["losses"] += losses.tolist()
        result["evaluations"].append({"epoch": epoch, **scores})
        if epoch < args.epochs:
            save_state(accelerator, args, result)
    bar.close()
    return result


def run(accelerator, args):
    """Load, train and save; return the result."""
    main_process = accelerator.is_main_process  # Accelerate
    data = load_rows(args)
    labels = data["train"].features["label"].names
    settings = {
        **{
            k: v
            for k, v in vars(args).items()
            if k not in ("output", "resume")
        },
        "labels": labels,
        "pairs": data.num_rows,
        "processes": accelerator.num_processes,  # Accelerate
    }
    if args.output:
        result = open_output(accelerator, args, settings)
        if result:
            return result
    on_cpu = accelerator.device.type == "cpu"  # Accelerate
    model, tokenizer = load_model(args, labels, on_cpu)
    loaders = make_loaders(data, tokenizer, args)
    metric = Scores(len(labels), args.metric)

    result = train(accelerator, model, *loaders, metric, args)

    if args.output and main_process:
        model = accelerator.unwrap_model(model)  # Accelerate
        model.save_pretrained(args.output)
        tokenizer.save_pretrained(args.output)
        close_output(args, settings, result)
    return result


def main(arguments=None):
    """Run the script, and print the result or what to fix."""
    args = parse(arguments)
    accelerator = Accelerator(  # Accelerate
        mixed_precision=args.mixed_precision,
        gradient_accumulation_steps=args.gradient_accumulation,
    )
    main_process = accelerator.is_main_process  # Accelerate
    if not main_process:  # only the main process prints
        logging.set_verbosity_error()
    logging.disable_progress_bar()
    disable_progress_bars()
    try:
        with redirect_stdout(sys.stderr if main_process else None):
            result = run(accelerator, args)
    except (InputError, CheckpointError) as error:
        if main_process:
            print(f"train.py: {error}", file=sys.stderr, flush=True)
        accelerator.wait_for_everyone()  # Accelerate
        raise SystemExit(2) from None
    if main_process:
        print(json.dumps(result), flush=True)
    accelerator.end_training()  # Accelerate


def parse(arguments):
    """Read the options."""
    parser = Parser(
        prog="train.py",
        usage="python train.py [options]",
        description=f"{__doc__.splitlines()[0]} Defaults are in brackets.",
        formatter_class=lambda prog: argparse.HelpFormatter(
            prog, max_help_position=30, width=79
        ),
        allow_abbrev=False,
    )
    add = parser.add_argument_group("the data").add_argument
    add("--train", metavar="FILE", help="rows to train on [the pairs of MRPC]")
    add("--validation", metavar="FILE", help="others to measure on [a tenth]")
    add("--text", metavar="COLUMN", help="the text's column [text]")
    add("--text-pair", metavar="COLUMN", help="that of a second text [none]")
    add("--label", metavar="COLUMN", help="the label's column [label]")
    add(
        "--rows",
        type=positive,
        metavar="N",
        help="train on so many only [all]",
    )

    add = parser.add_argument_group("the training").add_argument
    helps = "where to start: a name or a folder [%(default)s]"
    add(
        "--checkpoint", metavar="NAME", default="bert-base-uncased", help=helps
    )
    number = {"type": positive, "metavar": "N"}
    helps = "how often to go through the rows [%(default)s]"
    add("--epochs", **number, default=3, help=helps)
    helps = "rows that each process takes at a time [%(default)s]"
    add("--batch-size", **number, default=8, help=helps)
    helps = "batches that make one step [%(default)s]"
    add("--gradient-accumulation", **number, default=1, help=helps)
    number = {"type": float, "metavar": "X", "default": 5e-5}
    add("--learning-rate", **number, help="how far a step goes [%(default)s]")
    helps = "no, bf16 or fp16 [%(default)s]"
    kinds = {"choices": ["no", "bf16", "fp16"], "metavar": "KIND"}
    add("--mixed-precision", **kinds, default="no", help=helps)
    helps = "switch dropout off; a CPU is faster without"
    add("--no-dropout", action="store_true", help=helps)
    helps = "decides what is left to chance [%(default)s]"
    add("--seed", type=int, metavar="N", default=0, help=helps)

    add = parser.add_argument_group("the result").add_argument
    helps = "accuracy or f1 [both]"
    add("--metric", choices=["accuracy", "f1"], metavar="NAME", help=helps)
    helps = "save the model here, and after each epoch the state [nowhere]"
    add("--output", metavar="FOLDER", help=helps)
    helps = "continue from the state that was saved last in --output"
    add("--resume", action="store_true", help=helps)

    args = parser.parse_args(arguments)
    if args.resume and not args.output:
        parser.error("--resume needs --output, the folder to continue from")
    if args.train:
        args.text, args.label = args.text or "text", args.label or "label"
    elif args.validation or args.text or args.text_pair or args.label:
        parser.error("a file or columns of your own need --train FILE, too")
    return args


class Parser(argparse.ArgumentParser):
    """Parses the options, and reports an error in one line."""

    def error(self, message):
        """Print the line and stop."""
        self.exit(2, f"train.py: {message}. --help lists the options.\n")


def positive(text):
    """Read a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of 1 or more, got {text!r}"
        )
    return int(text)


if __name__ == "__main__":
    main()
