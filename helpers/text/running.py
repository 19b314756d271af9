"""One way to run a model: on its own device, in evaluation mode, without gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase
    from transformers.utils import ModelOutput


def run_model(
    model: PreTrainedModel, inputs: Mapping[str, torch.Tensor], **options: object
) -> ModelOutput:
    """Run a model on its own device and dtype, without dropout, and give its output on the CPU."""
    import torch
    from accelerate.utils import convert_to_fp32, send_to_device

    placed = {
        name: value.to(model.device, model.dtype if value.is_floating_point() else value.dtype)
        for name, value in inputs.items()
    }
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.inference_mode():
            outputs = model(**placed, **options)
        return convert_to_fp32(send_to_device(outputs, "cpu"))  # NumPy has no bfloat16
    finally:
        # module.train(mode) would also set every child, whatever mode the child was in
        for module, training in modes:
            module.training = training


def tokenize(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *texts: str | list[str],
    padding: bool = False,
) -> BatchEncoding:
    """Tokenize for a model, ``(batch, seq)``; what is longer than it can read is cut."""
    longest = longest_input(tokenizer, model)
    return tokenizer(
        *texts,
        padding=padding,
        truncation=longest is not None,
        max_length=longest,
        return_tensors="pt",
    )


def longest_input(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> int | None:
    """Say how many tokens a model reads at most, or None if it doesn't say."""
    positions = getattr(model.config, "max_position_embeddings", None)
    limits = [tokenizer.model_max_length, positions]
    # a tokenizer that doesn't know its limit says 1e30
    return min((int(limit) for limit in limits if limit and 0 < limit < 1e9), default=None)
