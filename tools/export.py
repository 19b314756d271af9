"""The book's tokenizer, encoder and sentiment model, as a browser runs them."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import DistilBertForSequenceClassification

NAME = "distilbert-base-uncased-finetuned-sst-2-english"


def export_tokenizer(target: Path) -> None:
    """Write the bundled tokenizer, without its settings for padding and truncation."""
    from helpers.sources.standins import encoder_folder

    state = json.loads((encoder_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    state |= {"truncation": None, "padding": None}
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text, encoding="utf-8")


def browser_model(*, eight_bits: bool = True) -> torch.nn.Module:
    """Build the one model that answers everything on the published page.

    The sentiment model is the bundled encoder with a low-rank adapter and a head. Here the adapter
    isn't merged: a number scales it, so that 1 gives the sentiment model and 0 the plain encoder.

    Parameters
    ----------
    eight_bits : bool, default True
        Whether to round the weights as the exported file does.

    Returns
    -------
    torch.nn.Module
        From ``input_ids`` and ``attention_mask``, ``(batch, seq)``, and the scalar ``adapter`` to
        the logits, ``(batch, labels)``, the mean of the last hidden states over the real tokens,
        made of length 1, ``(batch, dim)``, and for each layer the attention weights, ``(batch,
        heads, seq, seq)``.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForSequenceClassification

    from helpers.sources.checkpoints import resolve
    from helpers.sources.standins import distilbert_state, encoder_folder

    model = AutoModelForSequenceClassification.from_pretrained(
        resolve(NAME), attn_implementation="eager"
    )
    plain = distilbert_state(load_file(encoder_folder() / "model.safetensors"))
    model.distilbert.load_state_dict(plain)  # before the adapter was merged

    class Answers(torch.nn.Module):
        """The model with plain tensors for what goes in and what comes out."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.strength = add_adapter(model)

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, adapter: torch.Tensor
        ) -> tuple[torch.Tensor, ...]:
            self.strength["adapter"] = adapter
            outputs = self.model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                output_hidden_states=True,
                output_attentions=True,
            )
            mask = attention_mask.unsqueeze(-1).float()  # (batch, seq, 1)
            mean = (outputs.hidden_states[-1] * mask).sum(dim=1) / mask.sum(dim=1)  # (batch, dim)
            vector = mean / mean.norm(dim=1, keepdim=True)
            return outputs.logits, vector, *outputs.attentions

    if eight_bits:
        round_weights(model)
    return Answers().eval()


def add_adapter(model: DistilBertForSequenceClassification) -> dict[str, torch.Tensor]:
    """Put the sentiment adapter beside the linear layers that it was trained for.

    Returns
    -------
    dict
        Its entry ``adapter`` is the number that scales the adapter.
    """
    import torch
    from safetensors.torch import load_file

    from helpers.sources.checksums import DATA

    strength: dict[str, torch.Tensor] = {}

    class Adapted(torch.nn.Module):
        """A layer with a low-rank adapter beside it."""

        def __init__(
            self, layer: torch.nn.Module, down: torch.Tensor, up: torch.Tensor, scale: float
        ) -> None:
            super().__init__()
            self.layer = layer
            self.register_buffer("down", down.float())  # (rank, in)
            self.register_buffer("up", up.float() * scale)  # (out, rank)

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return self.layer(hidden) + strength["adapter"] * (hidden @ self.down.T @ self.up.T)

    config = json.loads((DATA / "sentiment" / "adapter_config.json").read_text(encoding="utf-8"))
    weights = load_file(DATA / "sentiment" / "adapter_model.safetensors")
    for key in [key for key in weights if key.endswith(".lora_A.weight")]:
        stem = key.removesuffix(".lora_A.weight")
        name = stem.removeprefix("base_model.model.")
        down, up = weights[key], weights[f"{stem}.lora_B.weight"]
        adapted = Adapted(model.get_submodule(name), down, up, config["lora_alpha"] / config["r"])
        model.set_submodule(name, adapted)
    return strength


def round_weights(model: torch.nn.Module) -> None:
    """Round the weights of each linear layer and embedding to 8 bits, with a scale for each row.

    Only what is stored is rounded: the model still computes in float32. (To round what goes through
    the layers too, as `onnxruntime.quantization.quantize_dynamic` does, cost one label in twenty.)
    """
    import torch

    class Rounded(torch.nn.Module):
        """A matrix in 8 bits, and how large a step is in each of its rows."""

        def __init__(self, matrix: torch.Tensor) -> None:
            super().__init__()
            scale = matrix.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            self.register_buffer("steps", (matrix / scale).round().to(torch.int8))
            self.register_buffer("scale", scale)

    class Linear(Rounded):
        """A linear layer."""

        def __init__(self, layer: torch.nn.Linear) -> None:
            super().__init__(layer.weight.detach())
            self.bias = layer.bias

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            weight = self.steps.float() * self.scale
            return torch.nn.functional.linear(hidden, weight, self.bias)

    class Embedding(Rounded):
        """An embedding."""

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.steps[ids].float() * self.scale[ids]

    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear):
            model.set_submodule(name, Linear(layer))
        elif isinstance(layer, torch.nn.Embedding):
            model.set_submodule(name, Embedding(layer.weight.detach()))


def export_model(target: Path) -> None:
    """Write the model as ONNX, its weights in 8 bits."""
    import torch

    with _silence():
        model = browser_model()
        ids = torch.tensor([[101, 2023, 2003, 102]] * 2)
        axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("seq", min=2, max=512)}
        layers = model.model.config.n_layers
        program = torch.onnx.export(
            model,
            (ids, torch.ones_like(ids), torch.tensor(1.0)),
            dynamo=True,
            optimize=False,  # or the weights would be written in float32, as they are used
            input_names=["input_ids", "attention_mask", "adapter"],
            output_names=["logits", "vector", *(f"attention_{layer}" for layer in range(layers))],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes, "adapter": None},
        )
        for node in program.model.graph:
            node.metadata_props.clear()  # where in whose files each step comes from
        program.save(str(target), external_data=False)


@contextmanager
def _silence() -> Iterator[None]:
    """Hide what the exporter reports about its own work, and the progress bar of loading."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
