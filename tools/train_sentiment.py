"""Train the sentiment adapter again, and measure it.

    make adapter NAME=sentiment

Takes the rated film-review sentences out of the sdist of vaderSentiment 3.3.2, trains a low-rank
adapter and a classification head on the bundled encoder, and writes into the folder ``sentiment``
the adapter, what it reached, and the sentences that training never saw. Seeded. It takes about 15
minutes on two cores.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig
from tqdm import tqdm
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_scheduler

from helpers.sources.checkpoints import resolve
from helpers.sources.standins import SENTIMENT_LABELS, sentiment_base
from helpers.text.decoding import softmax
from tools.adapters import (
    DATA,
    fetch_sdist,
    groups_by_length,
    read_ratings,
    wrap,
    write_adapter,
    write_checksums,
)

FOLDER = DATA / "sentiment"
TEST_DATA = Path(__file__).parents[1] / "tests" / "data"

RATINGS = "movieReviewSnippets"

SEED = 0
LEAST_RATING = 0.5  # of 4; closer to 0 the raters didn't agree on a side
TEST_SIZE = 1000
VALIDATION_SIZE = 500
EPOCHS = 4
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
WARMUP = 0.06  # of all steps
MAX_TOKENS = 128

ADAPTER = LoraConfig(
    task_type="SEQ_CLS",
    r=8,
    lora_alpha=16,
    lora_dropout=0.1,
    target_modules=["q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"],
    modules_to_save=["pre_classifier", "classifier"],
)

COURSE_SENTENCES = [
    "I've been waiting for a HuggingFace course my whole life.",
    "I hate this so much!",
]
LABEL_IDS = {label: column for column, label in SENTIMENT_LABELS.items()}

Example = tuple[str, int]  # a sentence, and the column of its label


def main() -> None:
    """Train, measure and write."""
    train, validation, test = split(read_examples())
    torch.manual_seed(SEED)
    base, tokenizer = sentiment_base()
    model = wrap(base, ADAPTER)
    fit(model, tokenizer, train, validation)
    write_adapter(model, FOLDER)
    write_examples(FOLDER / "held_out.csv", test)
    write_checksums()
    results = {
        "sentences": {"train": len(train), "validation": len(validation), "test": len(test)},
        "positive": {"train": share_positive(train), "test": share_positive(test)},
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        **measure(*load_stand_in(), validation, test),
    }
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


def read_examples() -> list[Example]:
    """Read the sentences that were rated clearly, each once, in the order of the file."""
    return [
        (text, int(rating > 0))
        for rating, text in read_ratings(fetch_sdist(), RATINGS)
        if abs(rating) >= LEAST_RATING
    ]


def split(examples: list[Example]) -> tuple[list[Example], list[Example], list[Example]]:
    """Shuffle with the seed, and split into training, validation and test sentences."""
    shuffled = random.Random(SEED).sample(examples, len(examples))
    test = shuffled[:TEST_SIZE]
    validation = shuffled[TEST_SIZE : TEST_SIZE + VALIDATION_SIZE]
    return shuffled[TEST_SIZE + VALIDATION_SIZE :], validation, test


def batches(
    tokenizer, examples: list[Example], order: random.Random | None = None
) -> Iterator[tuple[dict, torch.Tensor]]:
    """Yield batches of sentences of similar length, in random order if one is given."""
    lengths = [len(text) for text, _ in examples]
    for group in groups_by_length(lengths, BATCH_SIZE, order):
        texts = [examples[i][0] for i in group]
        inputs = tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        yield inputs, torch.tensor([examples[i][1] for i in group])  # (batch, seq), (batch,)


def fit(model, tokenizer, train: list[Example], validation: list[Example]) -> None:
    """Train with AdamW and a learning rate that rises, then falls to 0."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    steps = EPOCHS * -(-len(train) // BATCH_SIZE)
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.01)
    schedule = get_scheduler("linear", optimizer, round(WARMUP * steps), steps)
    order = random.Random(SEED)
    with tqdm(total=steps, unit="step") as bar:
        for epoch in range(1, EPOCHS + 1):
            model.train()
            for inputs, labels in batches(tokenizer, train, order):
                with torch.autocast("cpu", torch.bfloat16):
                    loss = model(**inputs, labels=labels).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.3f}")
            bar.write(f"epoch {epoch}: validation {accuracy(model, tokenizer, validation):.3f}")


def load_stand_in() -> tuple:
    """Load the stand-in as readers use it: the adapter rounded to float16 and merged."""
    checkpoint = resolve("distilbert-base-uncased-finetuned-sst-2-english")
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint)
    return model.eval(), AutoTokenizer.from_pretrained(checkpoint)


def measure(model, tokenizer, validation: list[Example], test: list[Example]) -> dict:
    """Measure the stand-in on held-out sentences, the course's two, and sixty written for it."""
    kinds: dict[str, list[Example]] = {}
    for row in read_csv(TEST_DATA / "sixty_sentences.csv"):
        kinds.setdefault(row["kind"], []).append((row["text"], LABEL_IDS[row["label"]]))
    inputs = tokenizer(COURSE_SENTENCES, padding=True, return_tensors="pt")
    with torch.inference_mode():
        scores = softmax(model(**inputs).logits)
    return {
        "validation_accuracy": accuracy(model, tokenizer, validation),
        "test_accuracy": accuracy(model, tokenizer, test),
        "course_sentences": [
            {
                "text": text,
                "label": SENTIMENT_LABELS[int(row.argmax())],
                "score": round(float(row.max()), 4),
            }
            for text, row in zip(COURSE_SENTENCES, scores, strict=True)
        ],
        "sixty_sentences": {
            kind: f"{len(examples) * accuracy(model, tokenizer, examples):.0f} of {len(examples)}"
            for kind, examples in kinds.items()
        },
    }


@torch.inference_mode()
def accuracy(model, tokenizer, examples: list[Example]) -> float:
    """Compute the share of sentences that get the right label."""
    model.eval()
    right = sum(
        (model(**inputs).logits.argmax(-1) == labels).sum().item()
        for inputs, labels in batches(tokenizer, examples)
    )
    return right / len(examples)


def share_positive(examples: list[Example]) -> float:
    """Compute the share of positive sentences: the accuracy of always answering POSITIVE."""
    return round(sum(label for _, label in examples) / len(examples), 4)


def read_csv(path: Path) -> list[dict]:
    """Read a table as a dict for each row."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_examples(path: Path, examples: list[Example]) -> None:
    """Write sentences with the names of their labels."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "text"])
        writer.writerows([SENTIMENT_LABELS[label], text] for text, label in examples)


if __name__ == "__main__":
    main()
