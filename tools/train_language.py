"""Train one of the two language-modeling adapters again, and measure it.

    make adapter NAME=masked
    make adapter NAME=causal

Takes the sentences of film reviews, product reviews and newspaper editorials out of the sdist of
vaderSentiment 3.3.2 and trains a low-rank adapter and a language-modeling head on the bundled
encoder: to fill in masked tokens, or to predict the next token. Writes the adapter and its results
into the folder of that name, and the sentences that training never saw beside the folders. Seeded.
It takes about an hour on one core, two at a time on two.
"""

from __future__ import annotations

import csv
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator

import torch
from peft import LoraConfig
from tqdm import tqdm
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    get_scheduler,
)

from helpers.sources.checkpoints import resolve
from helpers.sources.standins import language_base
from tools.adapters import (
    DATA,
    fetch_sdist,
    groups_by_length,
    read_ratings,
    wrap,
    write_adapter,
    write_checksums,
)

TEXTS = ("movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets")
STANDINS = {"masked": "distilbert-base-uncased", "causal": "gpt2"}
HELD_OUT = DATA / "language_held_out.csv"

SEED = 0
LEAST_WORDS = 3
MAX_TOKENS = 96
HELD_OUT_SIZE = 800
QUICK = 200  # of these, the first ones: what the tests measure again
EPOCHS = {"masked": 10, "causal": 7}
BATCH_SIZE = 64
LEARNING_RATE = 2e-3
WARMUP = 0.05  # of all steps
TRAINING_MASK = 0.25  # more labels a step than BERT's 0.15, with which it is measured
MEASURING_MASK = 0.15
# Most of the time goes into the 30,522 scores of each label: sample this many at most.
MOST_LABELS = 512

ADAPTER = LoraConfig(
    r=16,
    lora_alpha=32,
    target_modules=r".*encoder.*\.(query|key|value|dense)|.*predictions\.decoder",
    modules_to_save=["transform"],
    bias="lora_only",  # of the layers above: the head's bias is how common each token is
)


def main(objective: str) -> None:
    """Train, measure and write."""
    train, held_out = read_sentences()
    write_held_out(held_out)
    torch.manual_seed(SEED)
    base, tokenizer = language_base(objective)
    start_head(base, tokenizer, train)
    model = wrap(base, ADAPTER)
    fit(model, tokenizer, train, held_out, objective)
    folder = DATA / objective
    write_adapter(model, folder)
    write_checksums()
    results = {
        "sentences": {"train": len(train), "held_out": len(held_out)},
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "held_out_loss_of_frequencies": round(
            frequency_loss(tokenizer, train, held_out, objective), 4
        ),
        **measure_standin(objective, held_out),
    }
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


def read_sentences() -> tuple[list[str], list[str]]:
    """Read all sentences, each once, and split them into those to train on and those held out."""
    archive = fetch_sdist()
    texts = {}
    for name in TEXTS:
        for _, text in read_ratings(archive, name):
            if len(text.split()) >= LEAST_WORDS:
                texts.setdefault(text.lower(), text)
    shuffled = random.Random(SEED).sample(list(texts.values()), len(texts))
    return shuffled[HELD_OUT_SIZE:], shuffled[:HELD_OUT_SIZE]


def write_held_out(texts: list[str]) -> None:
    """Write the sentences that no training sees."""
    with HELD_OUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text"])
        writer.writerows([text] for text in texts)


@torch.no_grad()
def start_head(model, tokenizer, texts: list[str]) -> None:
    """Initialize the new head to pass its input on, its bias to how common each token is."""
    head = model.cls.predictions
    head.decoder.bias.copy_(log_frequencies(tokenizer, texts))
    torch.nn.init.eye_(head.transform.dense.weight)


def log_frequencies(tokenizer, texts: list[str]) -> torch.Tensor:
    """Compute the logarithm of each token's share in the texts, ``(vocabulary,)``, none 0."""
    counts = Counter(token for ids in encode(tokenizer, texts) for token in ids[1:])
    frequencies = torch.tensor([counts[token] + 1 for token in range(len(tokenizer))])
    return torch.log(frequencies / frequencies.sum())


def encode(tokenizer, texts: list[str]) -> list[list[int]]:
    """Encode sentences, truncated to the maximum length, each with the token that ends it."""
    rows = tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    end = tokenizer.convert_tokens_to_ids("[SEP]")
    return [row if row[-1] == end else [*row, end] for row in rows]


def mean_loss(model, batch: dict, objective: str, most_labels: int | None = None) -> tuple:
    """Compute the mean cross-entropy over the labels, and count these.

    The scores of the vocabulary are computed only where there is a label.
    """
    labels = batch["labels"]
    if objective == "causal":
        labels = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=-100)  # that of the next one
    labeled = (labels != -100).nonzero()
    if most_labels:
        labeled = labeled[torch.randperm(len(labeled))[:most_labels]]
    rows, columns = labeled.unbind(1)
    with torch.autocast("cpu", torch.bfloat16, enabled=model.training):
        hidden = model.bert(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state  # (batch, seq, dim)
        scores = model.cls(hidden[rows, columns])  # (labels, vocabulary)
    loss = torch.nn.functional.cross_entropy(scores.float(), labels[rows, columns])
    return loss, len(labeled)


def fit(model, tokenizer, train: list[str], held_out: list[str], objective: str) -> None:
    """Train with AdamW and a learning rate that rises, then falls to 0."""
    ids = encode(tokenizer, train)
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm=objective == "masked", mlm_probability=TRAINING_MASK
    )
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    steps = EPOCHS[objective] * -(-len(ids) // BATCH_SIZE)
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.01)
    schedule = get_scheduler("linear", optimizer, round(WARMUP * steps), steps)
    order = random.Random(SEED)
    with tqdm(total=steps, unit="step") as bar:
        for epoch in range(1, EPOCHS[objective] + 1):
            model.train()
            for group in groups_by_length([len(row) for row in ids], BATCH_SIZE, order):
                batch = collate([{"input_ids": ids[i]} for i in group])
                loss, _ = mean_loss(model.base_model.model, batch, objective, MOST_LABELS)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.2f}")
            reached = held_out_loss(model.base_model.model, tokenizer, held_out, objective)
            bar.write(f"epoch {epoch}: held-out loss {reached:.3f}")


@torch.inference_mode()
def held_out_loss(model, tokenizer, texts: list[str], objective: str) -> float:
    """Measure the mean loss a label, in nats, with the same masks every time."""
    model.eval()
    total = labels = 0
    for batch in measuring_batches(tokenizer, texts, objective):
        loss, count = mean_loss(model, batch, objective)
        total += loss.item() * count
        labels += count
    return total / labels


def measuring_batches(tokenizer, texts: list[str], objective: str) -> Iterator[dict]:
    """Yield batches with labels, the same ones every time."""
    ids = encode(tokenizer, texts)
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm=objective == "masked", mlm_probability=MEASURING_MASK, seed=SEED
    )
    for group in groups_by_length([len(row) for row in ids], BATCH_SIZE):
        yield collate([{"input_ids": ids[i]} for i in group])


def frequency_loss(tokenizer, train: list[str], held_out: list[str], objective: str) -> float:
    """Compute the loss of each token's frequency in training, without any model."""
    scores = log_frequencies(tokenizer, train)
    labels = []
    for batch in measuring_batches(tokenizer, held_out, objective):
        row = batch["labels"] if objective == "masked" else batch["labels"][:, 1:]
        labels.append(row[row != -100])
    return -scores[torch.cat(labels)].mean().item()


def measure_standin(objective: str, held_out: list[str]) -> dict:
    """Measure the stand-in as readers use it: the adapter rounded to float16 and merged."""
    checkpoint = resolve(STANDINS[objective])
    model_class = AutoModelForMaskedLM if objective == "masked" else AutoModelForCausalLM
    model = model_class.from_pretrained(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    loss = held_out_loss(model, tokenizer, held_out, objective)
    quick = held_out_loss(model, tokenizer, held_out[:QUICK], objective)
    return {
        "held_out_loss": round(loss, 4),
        "held_out_loss_of_the_first_200": round(quick, 4),
        "perplexity": round(math.exp(loss), 1),
    }


if __name__ == "__main__":
    main(sys.argv[1])
