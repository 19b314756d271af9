"""What surrounds a training: the settings of 🤗 Accelerate, and Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState


@contextmanager
def own_accelerator(device: torch.device, precision: str) -> Iterator[Accelerator]:
    """Make an Accelerator for one training, and put Accelerate's settings back afterwards."""
    # Accelerate keeps its device and precision once per process and refuses to change them. The
    # Trainer, too, resets them with `_reset_state`: there is no public way.
    states = (AcceleratorState, PartialState, GradientState)
    before = [dict(state._shared_state) for state in states]
    for state in states:
        state._reset_state()
    try:
        yield Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
    finally:
        for state, settings in zip(states, before, strict=True):
            state._reset_state()
            state._shared_state.update(settings)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defer Ctrl-C until the block ends, also if it ends with an error."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield  # Python delivers signals to the main thread only
        return
    waiting = []
    signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            signal.raise_signal(signal.SIGINT)
