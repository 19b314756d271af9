"""What the notebooks of the book import.

``checkpoints`` turns a checkpoint's name into a local folder; ``decoding`` turns logits into
answers; ``tokens`` lists what a tokenizer made of a text; ``subwords`` trains one alike on every
run; ``steps`` keeps every result of a pipeline; ``attention`` says who may look at whom, and who
does; ``datasets`` and ``metrics`` give the pairs of sentences and what measures answers to
them; ``similarity`` finds the nearest sentence; ``pictures``, ``plots`` and ``widgets`` show what
these give. ``standins``, ``hub`` and ``checksums`` are what ``checkpoints`` stands on.

Import from the module: ``from helpers.decoding import softmax``.
"""
