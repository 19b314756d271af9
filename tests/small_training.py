"""A small model with small data, and the ways to train it, for the tests of the training loop."""

import torch
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification


def draw(low, high, count, generator):
    return torch.randint(low, high, (count,), generator=generator).tolist()


def make_rows(count):
    """Draw rows of different lengths, as a tokenizer gives them."""
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "input_ids": draw(5, 100, draw(4, 12, 1, generator)[0], generator),
            "labels": draw(0, 2, 1, generator)[0],
        }
        for _ in range(count)
    ]


def collate(rows):
    """Pad a batch to its longest row."""
    ids = [torch.tensor(row["input_ids"]) for row in rows]
    padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    return {
        "input_ids": padded,
        "attention_mask": (padded > 0).long(),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


def make_model(num_labels=2, **settings):
    """Make the same small BERT each time, with dropout."""
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=num_labels,
        **settings,
    )
    return BertForSequenceClassification(config)


def make_loader(rows, **settings):
    return DataLoader(rows, batch_size=4, collate_fn=collate, **settings)


def make_optimizer(model, lr=5e-3):
    return torch.optim.AdamW(model.parameters(), lr=lr)


def no_bar(history, steps):
    """Watch a training without a word."""


def weights(model):
    """Copy a model's weights."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    """Tell whether weights are equal, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
