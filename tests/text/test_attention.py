"""Attention: the three masks against the library's own models, and the weights that are read."""

import numpy as np
import pytest
import torch

from helpers.text.attention import Attention, attention_mask, attention_shares, read_attention

SIZES = {"vocab_size": 40, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


@pytest.fixture(scope="module")
def encoder():
    """The bundled encoder, in the way that keeps its attention weights."""
    from transformers import AutoModel

    from helpers.sources.checkpoints import resolve

    return AutoModel.from_pretrained(resolve("bert-base-uncased"), attn_implementation="eager")


def test_the_three_masks():
    assert attention_mask("bidirectional", 2).tolist() == [[True, True], [True, True]]
    assert attention_mask("causal", 3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert attention_mask("cross", 1, 3).tolist() == [[True, True, True]]


def test_the_masks_are_those_of_an_encoder_decoder():
    from transformers import BartConfig, BartModel

    config = BartConfig(
        **SIZES, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8,
        max_position_embeddings=16, decoder_start_token_id=2, attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(0)
    model = BartModel(config).eval()
    with torch.no_grad():
        outputs = model(
            input_ids=torch.tensor([[5, 6, 7, 8]]),
            decoder_input_ids=torch.tensor([[2, 9, 10]]),
            output_attentions=True,
        )
    for attentions, mask in [
        (outputs.encoder_attentions, attention_mask("bidirectional", 4)),
        (outputs.decoder_attentions, attention_mask("causal", 3)),
        (outputs.cross_attentions, attention_mask("cross", 3, 4)),
    ]:
        assert ((attentions[0][0].numpy() > 0) == mask).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sideways", 3), "kind must be one of"),
        (("causal", 0), "at least 1, a token each; got 0 and 0"),
        (("cross", 3), "columns must be given"),
        (("cross", 3, 0), "at least 1, a token each; got 3 and 0"),
        (("causal", 3, 4), "use 'cross'"),
    ],
)
def test_a_mask_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        attention_mask(*arguments)


def test_weights_are_read_layer_by_layer(bert_tokenizer, encoder):
    attention = read_attention(bert_tokenizer, encoder, "one two")
    assert attention.tokens == ["[CLS]", "one", "two", "[SEP]"]
    assert attention.weights.shape == (6, 12, 4, 4)
    np.testing.assert_allclose(attention.weights.sum(axis=-1), 1, atol=1e-5)

    inputs = bert_tokenizer("one two", return_tensors="pt")
    with torch.no_grad():
        layers = encoder(**inputs, output_attentions=True).attentions
    np.testing.assert_array_equal(attention.weights[3, 5], layers[3][0, 5].numpy())


def test_an_empty_text_has_no_attention(bert_tokenizer, encoder):
    with pytest.raises(ValueError, match="Type a sentence"):
        read_attention(bert_tokenizer, encoder, "  ")


def test_a_model_that_keeps_no_weights_is_refused_with_the_remedy(sentiment):
    with pytest.raises(ValueError, match="attn_implementation='eager'"):
        read_attention(*sentiment, "one two")


def test_a_model_without_attentions_of_its_own_is_refused(bert_tokenizer):
    from transformers import BartConfig, BartModel

    config = BartConfig(
        d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8,
        attn_implementation="eager",
    )  # fmt: skip
    with pytest.raises(ValueError, match="model must return its attention weights; got none"):
        read_attention(bert_tokenizer, BartModel(config), "one two")


@pytest.mark.parametrize("text", [None, ["one"]])
def test_something_else_than_a_text_has_no_attention(bert_tokenizer, encoder, text):
    with pytest.raises(TypeError, match="text must be one string; got"):
        read_attention(bert_tokenizer, encoder, text)


@pytest.mark.parametrize(("rows", "columns"), [(2.0, None), ("2", None), (2, 3.5), (True, 1)])
def test_a_mask_has_whole_numbers_of_tokens(rows, columns):
    with pytest.raises(TypeError, match="must be a whole number; got"):
        attention_mask("cross", rows, columns or 1)


def test_a_mask_takes_the_integers_of_numpy():
    assert attention_mask("cross", np.int64(1), torch.tensor(2)).shape == (1, 2)


def test_special_tokens_alone_have_no_shares():
    with pytest.raises(ValueError, match=r"between two special ones; got \['a', 'b'\]"):
        attention_shares(Attention(list("ab"), np.full((1, 1, 2, 2), 0.5)))


def test_shares_say_where_the_tokens_of_the_text_look():
    weights = np.zeros((1, 2, 4, 4))
    weights[0, 0] = np.eye(4, k=-1)  # the first head looks one back
    weights[0, 0, 0, 0] = 1
    weights[0, 1] = [[0, 0, 0, 1], [0, 0.5, 0, 0.5], [0, 0, 0.25, 0.75], [1, 0, 0, 0]]
    shares = attention_shares(Attention(list("abcd"), weights))

    assert list(shares.columns) == ["layer", "head", "itself", "previous", "next", "first", "last"]
    assert shares["layer"].tolist() == [0, 0]
    assert shares["head"].tolist() == [0, 1]
    assert shares["previous"].tolist() == [1, 0]
    assert shares["itself"].tolist() == [0, 0.375]
    assert shares["first"].tolist() == [0.5, 0]  # for the first word, one back is the first token
    assert shares["last"].tolist() == [0, 0.625]
    assert shares["next"].tolist() == [0, 0.375]  # for the last word, the next is the last token
