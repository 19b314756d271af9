"""Notebook 3-5: it publishes what it says, and what it says of faults is what happens.

The table of symptoms has a test for each row, or a cell that shows it.
"""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from processes import run
from small_training import make_loader, make_model, make_optimizer, make_rows, no_bar
from torch.nn.functional import cross_entropy
from upload_stub import UploadStub

from helpers.training import train

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "en" / "3-fine-tuning" / "3-5-your-own-data.ipynb"

# The rows of the table: what shows each symptom, a test in this file or a part of a cell.
SHOWN_BY = {
    "out of memory": "megabytes_kept",
    "Target 3 is out of bounds": "test_labels_that_count_from_1_are_out_of_bounds",
    "too many dimensions 'str'": "test_labels_that_are_strings_make_no_tensor",
    "must be the same as input size": "torch.tensor([2.0, 0.0])",
    "The size of tensor a": "test_a_text_that_is_too_long_does_not_fit",
    "index out of range in self": "test_a_larger_vocabulary_is_out_of_range",
    "the loss is `nan`": "test_the_loss_is_nan",
    "the loss stays flat": "test_the_loss_stays_flat",
    "one answer for every text": "test_one_answer_for_every_text",
    "perfect scores": "leaky_words = ",
}

PUBLISH = """
import sys
from transformers import AutoModelForSequenceClassification
{function}
print(publish(sys.argv[1], "reader/films"))
publish(sys.argv[1], "reader/films")  # a second time, into the same repository
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
model.push_to_hub("reader/short")
"""


@pytest.fixture(scope="module")
def cells():
    return nbformat.read(NOTEBOOK, as_version=4).cells


@pytest.fixture(scope="module")
def code(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def cell_with(code, text):
    """Give the one cell that contains a text."""
    (found,) = [source for source in code if text in source]
    return found


# --- Publishing ---


@pytest.fixture(scope="module")
def published(code, tmp_path_factory):
    """A Hub, after the notebook's function has published a folder like the notebook's."""
    from transformers import AutoTokenizer, TrainingArguments

    from helpers.sources import resolve

    folder = tmp_path_factory.mktemp("own") / "film-reviews"
    names = {0: "negative", 1: "neutral", 2: "positive"}
    make_model(num_labels=3, id2label=names).save_pretrained(folder)
    AutoTokenizer.from_pretrained(resolve("bert-base-uncased")).save_pretrained(folder)
    torch.save(TrainingArguments(folder, use_cpu=True), folder / "training_args.bin")
    (folder / "token.txt").write_text("hf_secret")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# Ours\n")
    script = PUBLISH.format(function=cell_with(code, "def publish("))
    with UploadStub() as hub:
        settings = {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(folder.parent / "home"),
            "HF_HUB_DISABLE_XET": "1",  # Git LFS, which the stub speaks
            "HF_HUB_OFFLINE": "0",
            "HF_TOKEN": "hf_of_a_reader",
            "NO_PROXY": "127.0.0.1",
        }
        status, out, err = run(script, folder, **settings)
        assert status == 0, err[-3000:]
        yield hub, folder, out


def test_the_files_and_the_card_arrive_as_they_are(published):
    hub, folder, out = published
    files = hub.repositories["reader/films"]
    expected = {"README.md", "config.json", "model.safetensors"}
    assert set(files) == expected | {"tokenizer.json", "tokenizer_config.json"}
    for name, content in files.items():
        assert content == (folder / name).read_bytes(), name
    assert f"{hub.endpoint}/reader/films/commit/" in out
    assert "Bearer hf_of_a_reader" in hub.tokens


def test_what_is_published_is_private_and_holds_no_pickle_and_no_token(published):
    hub, _, _ = published
    assert hub.private["reader/films"]
    for name, content in hub.repositories["reader/films"].items():
        assert not name.endswith((".bin", ".txt"))
        assert b"hf_secret" not in content
        assert b"hf_of_a_reader" not in content


def test_push_to_hub_does_what_the_text_says(published, cells):
    """No tokenizer, public, and a card that nobody filled in."""
    hub, _, _ = published
    files = hub.repositories["reader/short"]
    assert set(files) == {"README.md", "config.json", "model.safetensors"}
    assert not hub.private["reader/short"]
    assert b"More Information Needed" in files["README.md"]
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "*More Information Needed*" in prose


def test_what_was_published_can_be_used(published, tmp_path):
    from transformers import pipeline

    hub, _, _ = published
    for name, content in hub.repositories["reader/films"].items():
        (tmp_path / name).write_bytes(content)
    model = pipeline("text-classification", model=str(tmp_path), device="cpu").model
    assert set(model.config.id2label.values()) == {"negative", "neutral", "positive"}


def test_the_card_has_data_counts_numbers_and_limits(code):
    card = cell_with(code, "card = ModelCard(")
    for part in ("license:", "base_model:", "{each}", "{measured}", "## Limits", "{low:.3f}"):
        assert part in card, part


# --- The table of symptoms ---


def symptoms(cells):
    """List the first column of the table."""
    (table,) = [cell.source for cell in cells if "| Symptom | Cause | Fix |" in cell.source]
    rows = table.partition("| --- | --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    return [row.strip("| ").split(" | ")[0] for row in rows]


def test_each_row_of_the_table_is_shown(cells, code):
    rows = symptoms(cells)
    assert len(rows) == len(SHOWN_BY)
    for row, (symptom, shown_by) in zip(rows, SHOWN_BY.items(), strict=True):
        assert symptom in row
        if shown_by.startswith("test_"):
            assert any(name.startswith(shown_by) for name in globals()), row
        else:
            assert cell_with(code, shown_by)


def small_batch(labels, tokens=6):
    ids = torch.arange(tokens).repeat(len(labels), 1) + 5
    return {"input_ids": ids, "labels": torch.tensor(labels)}


def test_labels_that_count_from_1_are_out_of_bounds():
    with pytest.raises(IndexError, match=r"Target 3 is out of bounds"):
        make_model(num_labels=3)(**small_batch([1, 2, 3]))


def test_labels_that_are_strings_make_no_tensor(bert_tokenizer):
    from transformers import DataCollatorWithPadding

    rows = [{**bert_tokenizer(text), "label": text} for text in ("good", "bad")]
    with pytest.raises(ValueError, match=r"too many dimensions 'str'|Unable to create tensor") as e:
        DataCollatorWithPadding(bert_tokenizer)(rows)
    assert "too many dimensions 'str'" in f"{e.value} {e.value.__cause__}"


def test_a_text_that_is_too_long_does_not_fit():
    model = make_model(num_labels=3, max_position_embeddings=16)
    said = r"The (expanded )?size of (the )?tensor (a )?\(\d+\) must match"
    with pytest.raises(RuntimeError, match=said):
        model(**small_batch([0], tokens=17))
    model(**small_batch([0], tokens=16))  # truncated


def test_a_larger_vocabulary_is_out_of_range():
    model = make_model(num_labels=3)
    ids = torch.tensor([[model.config.vocab_size]])
    with pytest.raises(IndexError, match="index out of range in self"):
        model(input_ids=ids)


def test_the_loss_is_nan_with_a_missing_number_among_the_labels():
    model = make_model(num_labels=1)
    assert model(**small_batch([1.0, 2.0])).loss.isfinite()
    assert model(**small_batch([1.0, float("nan")])).loss.isnan()


def test_the_loss_is_nan_with_a_weight_for_a_label_that_has_no_rows():
    """The notebook's rule divides by the number of rows."""
    rows_of_each = np.bincount([0, 0, 2, 2], minlength=3)
    with np.errstate(divide="ignore"):
        weights = torch.tensor(4 / (3 * rows_of_each), dtype=torch.float32)
    assert weights.isinf().tolist() == [False, True, False]
    logits = torch.zeros(2, 3)
    assert not cross_entropy(logits, torch.tensor([0, 1]), weight=weights).isfinite()


def test_the_loss_is_nan_in_fp16_where_it_is_a_number_in_bf16():
    large = torch.tensor([70000.0])
    for short, finite in ((torch.float16, False), (torch.bfloat16, True)):
        numbers = large.to(short)
        assert (numbers - numbers).isfinite().all() == finite


def test_the_book_s_own_loop_names_the_gap_before_the_loss_is_nan():
    model = make_model(num_labels=1)
    batches = [small_batch([1.0, float("nan")])]
    with pytest.raises(ValueError, match="a gap in the column"):
        train(model, batches, make_optimizer(model), watch=no_bar)


def test_the_loss_stays_flat_with_a_far_too_small_rate_or_a_frozen_model():
    losses = {}
    for name, rate in (("usual", 5e-3), ("tiny", 1e-9), ("frozen", 5e-3)):
        model = make_model(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        if name == "frozen":
            for weight in model.parameters():
                weight.requires_grad = False
            model.classifier.bias.requires_grad = True  # something has to have a gradient
        optimizer = make_optimizer(model, lr=rate)
        rows = make_rows(8)
        loader = make_loader(rows)
        losses[name] = train(model, loader, optimizer, epochs=8, watch=no_bar).losses
    falls = {name: np.mean(each[:2]) - np.mean(each[-2:]) for name, each in losses.items()}
    assert falls["usual"] > 0.3
    assert abs(falls["tiny"]) < 1e-3
    assert abs(falls["frozen"]) < falls["usual"] / 4


def test_one_answer_for_every_text_after_a_far_too_large_rate():
    answers = {}
    rows = make_rows(16)
    for rate in (5e-3, 1.0):
        model = make_model(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        loader = make_loader(rows)
        train(model, loader, make_optimizer(model, lr=rate), epochs=8, watch=no_bar)
        model.eval()
        with torch.no_grad():
            found = [model(**batch).logits.argmax(-1) for batch in loader]
        answers[rate] = set(torch.cat(found).tolist())
    assert answers == {5e-3: {0, 1}, 1.0: answers[1.0]}
    assert len(answers[1.0]) == 1


# --- What the text says of the libraries ---


def test_a_file_in_another_encoding_is_a_unicode_error(tmp_path):
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError

    path = tmp_path / "old.csv"
    path.write_bytes("text,label\nAmélie is charming.,positive\n".encode("cp1252"))
    settings = {"data_files": str(path), "split": "train", "cache_dir": str(tmp_path / "cache")}
    with pytest.raises(DatasetGenerationError) as error:
        load_dataset("csv", **settings)
    assert isinstance(error.value.__cause__, UnicodeDecodeError)
    assert load_dataset("csv", **settings, encoding="cp1252")[0]["text"] == "Amélie is charming."


def test_the_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    true = np.array([0] * 5 + [1] * 2 + [2] * 4)
    ours = len(true) / (3 * np.bincount(true))
    assert compute_class_weight("balanced", classes=np.arange(3), y=true) == pytest.approx(ours)


def test_macro_f1_is_the_mean_of_the_labels_f1():
    from sklearn.metrics import f1_score

    true, found = [0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0]
    each = f1_score(true, found, average=None)
    assert f1_score(true, found, average="macro") == pytest.approx(np.mean(each))


def test_the_splits_of_the_notebook_are_those_of_the_card(cells):
    printed = "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))
    card = (ROOT / "helpers/sources/data/film_reviews/README.md").read_text()
    for label in ("negative", "neutral", "positive"):
        (count,) = re.findall(rf"\| {label} \| ([\d,]+) \|", card)
        assert re.search(rf"{label} +{count.replace(',', '')} ", printed), label
