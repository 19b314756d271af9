"""What fills a gap: both sides of it, or only what stands before."""

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
    pipeline,
)

from helpers.sources.checkpoints import resolve
from helpers.text.predictions import predict_masked, predict_next

TEXT = "The movie was [MASK], and I fell asleep."


def test_masked_prediction_is_that_of_the_pipeline(masked_model):
    tokenizer, model = masked_model
    found = predict_masked(tokenizer, model, TEXT, top=3)
    answers = pipeline("fill-mask", model=model, tokenizer=tokenizer)(TEXT, top_k=3)
    assert found.candidates == [answer["token_str"] for answer in answers]
    assert found.probabilities == pytest.approx([a["score"] for a in answers], abs=1e-5)
    assert found.tokens[4] == "[MASK]"
    assert all(found.seen)
    assert len(found.seen) == len(found.tokens) == 12


def test_next_prediction_is_the_first_token_that_the_pipeline_writes(causal_model):
    tokenizer, model = causal_model
    found = predict_next(tokenizer, model, "The movie was", top=1)
    write = pipeline("text-generation", model=model, tokenizer=tokenizer)
    answer = write("The movie was", max_new_tokens=1, do_sample=False, return_full_text=False)
    assert answer[0]["generated_text"].strip() == found.candidates[0]


def test_masked_model_depends_on_what_stands_after_the_gap(masked_model):
    asleep = predict_masked(*masked_model, TEXT)
    loved = predict_masked(*masked_model, "The movie was [MASK], and I loved it.")
    assert asleep.probabilities != loved.probabilities


def test_causal_model_sees_nothing_of_the_gap_and_after(causal_model):
    asleep = predict_next(*causal_model, TEXT)
    loved = predict_next(*causal_model, "The movie was [MASK], and I loved it.")
    assert asleep.candidates == loved.candidates
    assert asleep.probabilities == loved.probabilities
    tokens = ["[CLS]", "the", "movie", "was", "[MASK]", ",", "and", "i", "fell", "asleep", "."]
    assert asleep.tokens == tokens
    assert asleep.seen == [True] * 4 + [False] * 7


def test_without_a_gap_it_is_at_the_end(masked_model, causal_model):
    beginning = "The movie was"
    assert predict_masked(*masked_model, beginning) == predict_masked(
        *masked_model, f"{beginning} [MASK]"
    )
    assert predict_next(*causal_model, beginning) == predict_next(
        *causal_model, f"{beginning} [MASK]"
    )


def test_gap_at_the_beginning_leaves_the_causal_model_its_start_token(causal_model):
    found = predict_next(*causal_model, "[MASK] movie was good.")
    assert found.tokens[:2] == ["[CLS]", "[MASK]"]
    assert found.seen[:2] == [True, False]


def test_probabilities_are_shares_of_the_whole_vocabulary(masked_model):
    found = predict_masked(*masked_model, TEXT, top=len(masked_model[0]))
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-4)
    assert found.probabilities == sorted(found.probabilities, reverse=True)


@pytest.mark.parametrize("text", ["", "   ", "[MASK]", " [MASK] "])
def test_nothing_to_go_by_is_an_error(text, masked_model, causal_model):
    with pytest.raises(ValueError, match="Type a sentence"):
        predict_masked(*masked_model, text)
    with pytest.raises(ValueError, match="Type a sentence"):
        predict_next(*causal_model, text)


def test_two_gaps_are_an_error(masked_model):
    with pytest.raises(ValueError, match=r"at most one \[MASK\]; got 2"):
        predict_masked(*masked_model, "A [MASK] and a [MASK].")


def test_text_too_long_is_an_error_that_says_how_long(masked_model, causal_model):
    with pytest.raises(ValueError, match="at most 512 tokens, the most that this model reads; got"):
        predict_masked(*masked_model, "word " * 600)
    with pytest.raises(ValueError, match="at most 512 tokens, the most that this model reads; got"):
        predict_next(*causal_model, "word " * 600)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"text": None}, TypeError, "text must be one string; got NoneType"),
        ({"top": 0}, ValueError, "top must be at least 1; got 0"),
        ({"top": 30_523}, ValueError, "top must be at most 30522, .*; got 30523"),
        ({"top": 1.5}, TypeError, "top must be a whole number; got 1.5"),
    ],
)
def test_other_arguments_are_refused(masked_model, causal_model, options, error, says):
    options = {"text": TEXT} | options
    with pytest.raises(error, match=says):
        predict_masked(*masked_model, **options)
    with pytest.raises(error, match=says):
        predict_next(*causal_model, **options)


def test_a_tokenizer_that_lacks_the_token_is_refused(masked_model):
    backend = Tokenizer(models.WordLevel({"low": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    with pytest.raises(ValueError, match="tokenizer must have a mask token"):
        predict_masked(tokenizer, masked_model[1], TEXT)
    with pytest.raises(ValueError, match="no token for the beginning"):
        predict_next(tokenizer, masked_model[1], "[MASK] low")


def test_a_mask_token_of_another_name_is_shown_as_the_gap(masked_model):
    tokenizer = AutoTokenizer.from_pretrained(resolve("bert-base-uncased"))
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    torch.manual_seed(0)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).eval()
    assert "[MASK]" in predict_masked(tokenizer, model, TEXT).tokens
    own_name = TEXT.replace("[MASK]", "<mask>")
    assert predict_masked(tokenizer, model, own_name) == predict_masked(tokenizer, model, TEXT)
    with pytest.raises(ValueError, match=r"at most one \[MASK\]; got 2"):
        predict_masked(tokenizer, model, TEXT + own_name)
