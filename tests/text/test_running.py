"""One way to run a model: its device, its dtype, its mode, and what comes back."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from helpers.text.attention import read_attention
from helpers.text.pairs import compare_pair
from helpers.text.pipeline_steps import three_steps
from helpers.text.predictions import predict_masked, predict_next
from helpers.text.running import longest_input, run_model

TEXT = "I hate this so much!"
ELSEWHERE = torch.device("meta")  # the only other device that every machine has


class OnDevice(torch.Tensor):
    """A result on another device: it can't be read before it is moved to the CPU."""

    def to(self, *target, **options):
        return super().to(*target, **options).as_subclass(torch.Tensor)

    def numpy(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def tolist(self):
        raise AssertionError("read on the device")


class Elsewhere(torch.nn.Module):
    """A model on another device, which refuses tensors from the CPU as a GPU's does."""

    def __init__(self, vocabulary, dtype=torch.bfloat16):
        super().__init__()
        self.device, self.dtype, self.vocabulary = ELSEWHERE, dtype, vocabulary
        self.dropout = torch.nn.Dropout()
        self.config = SimpleNamespace(
            id2label={"0": "NEGATIVE", "1": "POSITIVE"}, problem_type=None
        )

    def forward(self, input_ids, output_attentions=False, **inputs):
        for value in [input_ids, *inputs.values()]:
            if value.device != self.device:
                raise RuntimeError("Expected all tensors to be on the same device")
            assert value.dtype in (torch.int64, self.dtype)
        assert not self.training
        assert not self.dropout.training
        assert torch.is_inference_mode_enabled()
        rows, length = input_ids.shape
        logits = torch.arange(2.0).expand(rows, 2)
        if self.vocabulary:
            logits = torch.zeros(rows, length, self.vocabulary)
        weights = torch.ones(rows, 3, length, length)
        logits, weights = [one.to(self.dtype).as_subclass(OnDevice) for one in (logits, weights)]
        attentions = (weights, weights) if output_attentions else None
        return SequenceClassifierOutput(logits=logits, attentions=attentions)


CALLS = {
    "three_steps": lambda tokenizer, model: three_steps(tokenizer, model, TEXT),
    "read_attention": lambda tokenizer, model: read_attention(tokenizer, model, TEXT),
    "compare_pair": lambda tokenizer, model: compare_pair(tokenizer, model, TEXT, "So have I!"),
    "predict_masked": lambda tokenizer, model: predict_masked(tokenizer, model, TEXT),
    "predict_next": lambda tokenizer, model: predict_next(tokenizer, model, TEXT),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_everything_that_runs_a_model_does_so_on_its_device_in_evaluation_mode(
    bert_tokenizer, name, dtype
):
    model = Elsewhere(len(bert_tokenizer) if "predict" in name else 0, dtype).train()
    result = CALLS[name](bert_tokenizer, model)
    assert model.training
    assert model.dropout.training
    if name == "three_steps":
        assert result.logits == [0, 1]
        assert result.labels == ["NEGATIVE", "POSITIVE"]
    if name == "read_attention":
        assert result.weights.shape == (2, 3, 8, 8)
        assert result.weights.dtype == np.float32


def test_inputs_of_floating_point_numbers_get_the_models_dtype(small_classifier):
    _, model = small_classifier()
    inputs = {"inputs_embeds": torch.ones(1, 4, 32, dtype=torch.float64)}
    expected = run_model(model, {"inputs_embeds": torch.ones(1, 4, 32)})["logits"]
    torch.testing.assert_close(run_model(model, inputs)["logits"], expected)
    halved = run_model(model.to(torch.bfloat16), inputs)["logits"]
    assert halved.dtype == torch.float32
    torch.testing.assert_close(halved, expected, atol=0.3, rtol=0.1)


@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
def test_each_module_is_left_in_the_mode_it_was_in(small_classifier, fails):
    tokenizer, model = small_classifier()
    model.train()
    model.bert.encoder.layer[0].eval()  # a frozen layer, as in fine-tuning
    model.bert.embeddings.dropout.eval()
    modes = [module.training for module in model.modules()]
    assert len(set(modes)) == 2
    inputs = tokenizer(TEXT, return_tensors="pt")
    if fails:
        inputs["input_ids"][0, 0] = model.config.vocab_size
        with pytest.raises(IndexError, match="out of range"):
            run_model(model, inputs)
    else:
        run_model(model, inputs)
    assert [module.training for module in model.modules()] == modes


@pytest.mark.parametrize("name", ["three_steps", "compare_pair"])
def test_a_model_in_training_gives_the_same_answer_without_dropout(small_classifier, name):
    tokenizer, model = small_classifier()

    def answer():
        result = CALLS[name](tokenizer, model)
        return result.probabilities

    expected = answer()
    model.train()
    assert [answer() for _ in range(3)] == [expected] * 3


def test_one_text_needs_no_padding_token(small_classifier):
    tokenizer, model = small_classifier(attn_implementation="eager")
    expected = three_steps(tokenizer, model, TEXT).logits
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.pad_token = None  # as GPT-2's
    assert three_steps(tokenizer, model, TEXT).logits == expected
    assert len(read_attention(tokenizer, model, TEXT).tokens) == 8


def test_a_model_reads_no_more_than_tokenizer_and_positions_allow(small_classifier):
    tokenizer, model = small_classifier(max_position_embeddings=16)
    assert longest_input(tokenizer, model) == 16
    assert len(three_steps(tokenizer, model, "word " * 30).table) == 16
    assert compare_pair(tokenizer, model, "word " * 30, "word " * 30).truncated
    knows_no_limit = SimpleNamespace(model_max_length=int(1e30))
    assert longest_input(knows_no_limit, model) == 16
    assert longest_input(knows_no_limit, SimpleNamespace(config=SimpleNamespace())) is None
