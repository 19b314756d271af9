"""Train the sentiment adapter again, and measure it.

    make adapter

Takes the rated film-review sentences out of the sdist of vaderSentiment 3.3.2, trains a low-rank
adapter and a classification head on the bundled encoder, and writes beside this file the adapter,
what it reached, and the sentences that training never saw. Seeded. It takes about 15 minutes on two
cores.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_scheduler

from helpers.checkpoints import resolve
from helpers.checksums import sha256
from helpers.decoding import softmax
from helpers.standins import ADAPTER_FILES, SENTIMENT_LABELS, sentiment_base

HERE = Path(__file__).parent
TEST_DATA = HERE.parents[2] / "tests" / "data"

SDIST = "vaderSentiment==3.3.2"
SDIST_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"

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
    train, validation, test = split(read_ratings(fetch_sdist()))
    torch.manual_seed(SEED)
    base, tokenizer = sentiment_base()
    with warnings.catch_warnings():
        # peft 0.21 asks transformers by a name that transformers 5.23 announces to remove
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        model = get_peft_model(base, ADAPTER)
    fit(model, tokenizer, train, validation)
    write_adapter(model)
    write_examples(HERE / "held_out.csv", test)
    write_checksums(
        HERE.parent, [f"{HERE.name}/{name}" for name in (*ADAPTER_FILES, "held_out.csv")]
    )
    results = {
        "sentences": {"train": len(train), "validation": len(validation), "test": len(test)},
        "positive": {"train": share_positive(train), "test": share_positive(test)},
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        **measure(*load_stand_in(), validation, test),
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


def fetch_sdist() -> bytes:
    """Download the sdist with pip, its checksum required, and give the archive inside it."""
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "requirement.txt"
        requirement.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary=:all:",
                "--require-hashes",
                "-r",
                str(requirement),
                "-d",
                folder,
            ],
            check=True,
        )
        (sdist,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            return archive.extractfile(ARCHIVE).read()


def read_ratings(archive: bytes) -> list[Example]:
    """Read the sentences that were rated clearly, each once, in the order of the file."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as inner:
        lines = inner.extractfile(RATINGS).read().decode("utf-8", "replace").splitlines()
    examples: dict[str, Example] = {}
    for line in lines:
        _, rating, text = line.split("\t", 2)
        text = " ".join(text.split())
        if text and abs(float(rating)) >= LEAST_RATING:
            # the same sentence twice, once in training and once in the test, would be a leak
            examples.setdefault(text.lower(), (text, int(float(rating) > 0)))
    return list(examples.values())


def split(examples: list[Example]) -> tuple[list[Example], list[Example], list[Example]]:
    """Shuffle with the seed, and deal out training, validation and test sentences."""
    shuffled = random.Random(SEED).sample(examples, len(examples))
    test = shuffled[:TEST_SIZE]
    validation = shuffled[TEST_SIZE : TEST_SIZE + VALIDATION_SIZE]
    return shuffled[TEST_SIZE + VALIDATION_SIZE :], validation, test


def batches(
    tokenizer, examples: list[Example], order: random.Random | None = None
) -> Iterator[tuple[dict, torch.Tensor]]:
    """Deal out batches of sentences of like length, in random order if there is one."""
    indices = list(range(len(examples)))
    if order:
        order.shuffle(indices)
    # sorted by length within 50 batches at a time: little padding, yet other batches every epoch
    chunk = BATCH_SIZE * 50
    groups = []
    for start in range(0, len(indices), chunk):
        near = sorted(indices[start : start + chunk], key=lambda i: len(examples[i][0]))
        groups += [near[i : i + BATCH_SIZE] for i in range(0, len(near), BATCH_SIZE)]
    if order:
        order.shuffle(groups)
    for group in groups:
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
    """Load what a reader gets: the adapter as written, rounded and merged."""
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
    """Give the share of sentences that get the right label."""
    model.eval()
    right = sum(
        (model(**inputs).logits.argmax(-1) == labels).sum().item()
        for inputs, labels in batches(tokenizer, examples)
    )
    return right / len(examples)


def share_positive(examples: list[Example]) -> float:
    """Give the share of positive sentences: what always answering POSITIVE would reach."""
    return round(sum(label for _, label in examples) / len(examples), 4)


def write_adapter(model) -> None:
    """Write the adapter in peft's own format, its tensors in float16 to halve the file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        saved = load_file(Path(folder) / "adapter_model.safetensors")
        halves = {name: tensor.half().contiguous() for name, tensor in sorted(saved.items())}
        save_file(halves, HERE / "adapter_model.safetensors", metadata={"format": "pt"})
        (HERE / "adapter_model.safetensors").chmod(0o644)  # safetensors makes it private
        shutil.copy(Path(folder) / "adapter_config.json", HERE / "adapter_config.json")


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


def write_checksums(folder: Path, names: list[str]) -> None:
    """Write the checksums of files, by their names as seen from the folder."""
    sums = [f"{sha256(folder / name)}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


if __name__ == "__main__":
    main()
