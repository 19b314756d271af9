"""Small models with random weights, for what doesn't depend on training."""

import pytest
import torch


@pytest.fixture(scope="session")
def small_classifier(bert_tokenizer):
    """Give a function that makes a tokenizer and a small classifier for one type of problem."""
    from transformers import BertConfig, BertForSequenceClassification

    def make(problem_type=None, num_labels=2, **options):
        torch.manual_seed(0)
        config = BertConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            initializer_range=0.5,  # large enough for clear answers
            num_labels=num_labels,
            problem_type=problem_type,
            **options,
        )
        return bert_tokenizer, BertForSequenceClassification(config).eval()

    return make
