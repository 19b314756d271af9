"""One way to run a model: on its own device, in evaluation mode, without gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.utils import ModelOutput


def run_model(
    model: PreTrainedModel, inputs: Mapping[str, torch.Tensor], **options: object
) -> ModelOutput:
    """Run a model on tokenized texts, wherever it is and whatever mode it is in.

    Parameters
    ----------
    model : PreTrainedModel
        The model. It runs in evaluation mode, without dropout; afterwards each of its modules is
        back in the mode it was in, even after an error.
    inputs : mapping of str to torch.Tensor
        What ``tokenizer(..., return_tensors="pt")`` returned. The tensors are moved to the model's
        device, and those of floating-point numbers to its dtype.
    **options : object
        Further arguments for the model, such as ``output_attentions=True``.

    Returns
    -------
    ModelOutput
        The model's output on the CPU, numbers of half precision in float32. It has no gradients.
    """
    import torch

    placed = {
        name: value.to(model.device, model.dtype if value.is_floating_point() else value.dtype)
        for name, value in inputs.items()
    }
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.inference_mode():
            return _on_cpu(model(**placed, **options))
    finally:
        # module.train(mode) would also set every child, whatever mode the child was in
        for module, training in modes:
            module.training = training


def longest_input(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> int | None:
    """Say how many tokens a model reads at most.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The tokenizer of the checkpoint.
    model : PreTrainedModel
        The model.

    Returns
    -------
    int or None
        The smaller one of the tokenizer's limit and the number of the model's positions; None if
        neither is known.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    limits = [tokenizer.model_max_length, positions]
    # a tokenizer that doesn't know its limit says 1e30
    return min((int(limit) for limit in limits if limit and 0 < limit < 1e9), default=None)


def _on_cpu(value: Any) -> Any:
    """Move each tensor in a model's output to the CPU, in a dtype that NumPy has."""
    import torch
    from transformers.utils import ModelOutput

    if isinstance(value, torch.Tensor):
        value = value.cpu()
        return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    if isinstance(value, ModelOutput):
        return type(value)(**{name: _on_cpu(part) for name, part in value.items()})
    if type(value) in (tuple, list):
        return type(value)(_on_cpu(part) for part in value)
    return value
