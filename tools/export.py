"""The book's tokenizer and sentiment model, as a browser runs them."""

from __future__ import annotations

import json
import logging
import os
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

NAME = "distilbert-base-uncased-finetuned-sst-2-english"


def export_tokenizer(target: Path) -> None:
    """Write the bundled tokenizer, without its settings for padding and truncation."""
    from helpers.sources.standins import encoder_folder

    state = json.loads((encoder_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    state |= {"truncation": None, "padding": None}
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text, encoding="utf-8")


def in_eight_bits(model: torch.nn.Module) -> None:
    """Round the weights of each linear layer and embedding to 8 bits, with a scale for each row.

    Only what is stored is rounded: the model still computes in float32. (To round what goes through
    the layers too, as `onnxruntime.quantization.quantize_dynamic` does, cost one label in twenty.)
    """
    import torch

    class Rounded(torch.nn.Module):
        """A matrix in 8 bits, and how large a step is in each of its rows."""

        def __init__(self, matrix):
            super().__init__()
            scale = matrix.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            self.register_buffer("steps", (matrix / scale).round().to(torch.int8))
            self.register_buffer("scale", scale)

    class Linear(Rounded):
        """A linear layer."""

        def __init__(self, layer):
            super().__init__(layer.weight.detach())
            self.bias = layer.bias

        def forward(self, hidden):
            weight = self.steps.float() * self.scale
            return torch.nn.functional.linear(hidden, weight, self.bias)

    class Embedding(Rounded):
        """An embedding."""

        def forward(self, ids):
            return self.steps[ids].float() * self.scale[ids]

    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear):
            model.set_submodule(name, Linear(layer))
        elif isinstance(layer, torch.nn.Embedding):
            model.set_submodule(name, Embedding(layer.weight.detach()))


def export_sentiment(target: Path) -> None:
    """Write the sentiment model as ONNX, its weights in 8 bits."""
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging as transformers_logging

    from helpers.sources.checkpoints import resolve

    class Logits(torch.nn.Module):
        """The model with plain tensors for what goes in and what comes out."""

        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    transformers_logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    try:
        # what the exporter has to say is about its own insides
        with (
            warnings.catch_warnings(),
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            warnings.simplefilter("ignore")
            model = AutoModelForSequenceClassification.from_pretrained(resolve(NAME))
            in_eight_bits(model)
            ids = torch.tensor([[101, 2023, 2003, 102]] * 2)
            axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("seq", min=2, max=512)}
            program = torch.onnx.export(
                Logits(model).eval(),
                (ids, torch.ones_like(ids)),
                dynamo=True,
                optimize=False,  # or the weights would be written in float32, as they are used
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            )
            for node in program.model.graph:
                node.metadata_props.clear()  # where in whose files each step comes from
            program.save(str(target), external_data=False)
    finally:
        logging.disable(logging.NOTSET)
