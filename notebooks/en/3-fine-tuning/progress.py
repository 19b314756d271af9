"""Show the progress of a training, and save its state in a folder.

The folder contains the settings, in `training.json`. During the training it
also has the state after the last complete epoch, and at the end the model.
"""

import json
import shutil
import sys
import time
from pathlib import Path

from own_data import InputError
from tqdm.auto import tqdm


class Bar(tqdm):
    """A progress bar that estimates the duration after six steps."""

    def update(self, n=1):
        """Count steps. The first one is slower, so it isn't timed."""
        super().update(n)
        if self.disable:
            return
        done = self.n - self.initial
        if n and done == 1:
            self.second_step = time.monotonic()
        if n and done == 6:
            seconds = (time.monotonic() - self.second_step) / 5
            left = self.total - self.initial
            each = float(f"{seconds:.2g}")  # two digits
            text = f"{duration(left * seconds)}: {left} steps of {each:g} s"
            self.write(text, file=sys.stderr)


def duration(seconds):
    """Say a duration in words, only as precisely as it can be estimated."""
    for unit, length in [("hour", 3600), ("minute", 60)]:
        if seconds >= 1.5 * length:
            return f"about {seconds / length:.0f} {unit}s"
    number = max(1, round(seconds))
    return f"about {number} second{'s' * (number > 1)}"


def save_state(accelerator, args, result):
    """Save everything needed to resume, and remove older states."""
    if not args.output:
        return
    epoch = result["evaluations"][-1]["epoch"]
    part = Path(args.output, f"state-{epoch}.part")
    accelerator.save_state(part)  # Accelerate
    accelerator.wait_for_everyone()  # Accelerate
    if accelerator.is_main_process:  # Accelerate
        (part / "result.json").write_text(json.dumps(result))
        part.rename(part.with_suffix(""))  # now it is complete
        for old in states(args.output)[:-1]:
            shutil.rmtree(old)


def load_state(accelerator, args):
    """Load the last saved state; return its result, or None."""
    if not args.resume or not states(args.output):
        return None
    state = states(args.output)[-1]
    accelerator.load_state(state)  # Accelerate
    print(f"Resumed after epoch {state.name.removeprefix('state-')}.")
    return json.loads((state / "result.json").read_text())


def states(folder):
    """List the complete states in a folder, the last one last."""
    found = Path(folder).glob("state-*[0-9]")
    return sorted(found, key=lambda path: int(path.name.split("-")[1]))


def open_output(accelerator, args, settings):
    """Check the output folder; return the result if it is complete."""
    folder, notes = Path(args.output), Path(args.output, "training.json")
    saved = json.loads(notes.read_text()) if notes.is_file() else None
    if saved is None and (folder.is_file() or any(folder.glob("*"))):
        raise InputError(
            f"Expected --output to be a new or empty folder, or one from "
            f"train.py; {folder} holds something else. Name another."
        )
    if saved and args.resume:
        for name, value in settings.items():
            if saved["settings"].get(name) != value:
                before = saved["settings"].get(name)
                raise InputError(
                    f"Expected the settings of the training in {folder} for "
                    f"--resume; {name} was {before} then, and is {value} now. "
                    "Repeat that command, or name another --output."
                )
        if saved["result"]:
            print(f"The training in {folder} is complete.")
            return saved["result"]
    elif saved and states(folder):
        raise InputError(
            f"Expected --resume, because the training in {folder} isn't "
            "complete. Add --resume, name another --output, or remove it."
        )
    if saved and not args.resume:
        print(f"The model in {folder} will be replaced.")
    elif args.resume and not states(folder):
        print(f"No state is saved in {folder} yet: this starts anew.")
    accelerator.wait_for_everyone()  # Accelerate
    main_process = accelerator.is_main_process  # Accelerate
    if main_process and not (saved and args.resume):
        folder.mkdir(parents=True, exist_ok=True)
        write_notes(args, settings, None)
    return None


def write_notes(args, settings, result):
    """Write the settings and the result to `training.json`."""
    text = json.dumps({"settings": settings, "result": result}, indent=2)
    Path(args.output, "training.json").write_text(text)


def close_output(args, settings, result):
    """Write the result, and remove the state for resuming."""
    write_notes(args, settings, result)
    for state in states(args.output):
        shutil.rmtree(state)
