"""Interrupted trainings: the model is that of a whole step, and a resumed one is the same."""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
from accelerate.utils import load
from processes import run_code, run_loaded
from safetensors.torch import load_file
from small_training import (
    make_loader,
    make_model,
    make_optimizer,
    make_rows,
    no_bar,
    same,
    weights,
)
from torch.utils.data import RandomSampler
from transformers.trainer_pt_utils import LengthGroupedSampler

from helpers.sources.metrics import load_metric
from helpers.training.checkpoint import FILES, PICKLES
from helpers.training.checks import TrainingError
from helpers.training.evaluation import evaluate
from helpers.training.history import History
from helpers.training.loop import linear_schedule, train

ROWS = make_rows(18)  # 5 batches of up to 4


@pytest.fixture(autouse=True, scope="module")  # before what interrupts a training once for all
def interruptible():
    """Let Ctrl-C interrupt: a shell that starts the tests in the background has switched it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def seeded():
    return torch.Generator().manual_seed(5)


LOADERS = {
    "shuffled": lambda: make_loader(ROWS, shuffle=True),
    "own generator": lambda: make_loader(ROWS, shuffle=True, generator=seeded()),
    "the sampler's generator": lambda: make_loader(
        ROWS, sampler=RandomSampler(ROWS, generator=seeded())
    ),
    "as the Trainer": lambda: make_loader(ROWS, sampler=SeedableRandomSampler(ROWS, data_seed=42)),
    "by length": lambda: make_loader(ROWS, sampler=LengthGroupedSampler(4, dataset=ROWS)),
    "by length, own generator": lambda: make_loader(
        ROWS, sampler=LengthGroupedSampler(4, dataset=ROWS, generator=seeded())
    ),
    "workers": lambda: make_loader(ROWS, shuffle=True, num_workers=1),
}


class Run:
    """Three epochs of the small model, an evaluation after each."""

    def __init__(self, loader="shuffled", *, seed=3, accumulate=1, **settings):
        self.model = make_model()
        self.optimizer = make_optimizer(self.model)
        self.loader = LOADERS[loader]()
        self.schedule = linear_schedule(
            self.optimizer, self.loader, epochs=3, accumulate=accumulate
        )
        self.history = History()
        self.settings = {"watch": no_bar, "accumulate": accumulate} | settings
        self.before_evaluation = lambda: None
        torch.manual_seed(seed)

    def evaluate(self):
        self.before_evaluation()
        return evaluate(self.model, make_loader(ROWS[:8]), load_metric("glue", "mrpc"))

    def train(self):
        return train(
            self.model,
            self.loader,
            self.optimizer,
            schedule=self.schedule,
            epochs=3,
            evaluate=self.evaluate,
            history=self.history,
            **self.settings,
        )

    @property
    def result(self):
        return self.history, weights(self.model)


def check_equal(one, other):
    """Compare two results to the last bit."""
    assert one[0].losses == other[0].losses
    assert one[0].learning_rates == other[0].learning_rates
    assert one[0].evaluations == other[0].evaluations
    assert same(one[1], other[1])


def whole_run(loader="shuffled", accumulate=1):
    """Train without interruption, and keep the weights after each step."""
    kept = []
    whole = Run(loader, accumulate=accumulate)
    kept.append(weights(whole.model))

    def keep(history, steps):
        if len(history.losses) == len(kept):
            kept.append(weights(whole.model))

    whole.settings["watch"] = keep
    whole.train()
    assert len(kept) == len(whole.history.losses) + 1
    return whole.result, kept


def interrupt():
    """Do what Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def at_call(number, then=interrupt):
    """Make a hook that interrupts when it is called for that time."""
    calls = iter(range(1, 10_000))

    def hook(*_):
        if next(calls) == number:
            then()

    return hook


def in_forward(run, number):
    run.model.bert.encoder.layer[1].register_forward_hook(at_call(number))


def in_backward(run, number):
    hook = at_call(number)
    run.model.bert.pooler.dense.weight.register_hook(lambda gradient: hook())


def before_the_update(run, number):
    run.optimizer.register_step_pre_hook(at_call(number))


def after_the_update(run, number):
    run.optimizer.register_step_post_hook(at_call(number))


def in_the_schedule(run, number):
    rate, hook = run.schedule.lr_lambdas[0], at_call(number)
    run.schedule.lr_lambdas[0] = lambda step: (hook(), rate(step))[1]


def in_zeroing(run, number):
    zero, hook = run.optimizer.zero_grad, at_call(number)
    run.optimizer.zero_grad = lambda: (hook(), zero())


def between_steps(run, number):
    run.settings["watch"] = at_call(number)


def in_the_loader(run, number):
    collate, hook = run.loader.collate_fn, at_call(number)
    run.loader.collate_fn = lambda rows: (hook(), collate(rows))[1]


def before_evaluation(run, number):
    run.before_evaluation = at_call(1 + number // 5)


def in_evaluation(run, number):
    """In the forward pass of the evaluation's first batch."""
    hook = at_call(1 + number // 5)
    layer = run.model.bert.encoder.layer[0]
    run.before_evaluation = lambda: (layer.register_forward_hook(lambda *_: hook()), None)


PLACES = [
    in_forward,
    in_backward,
    before_the_update,
    after_the_update,
    in_the_schedule,
    in_zeroing,
    between_steps,
    in_the_loader,
    before_evaluation,
    in_evaluation,
]


@pytest.fixture(scope="module")
def whole():
    """Whole runs, each made once."""
    made = {}

    def get(loader="shuffled", accumulate=1):
        key = loader, accumulate
        if key not in made:
            made[key] = whole_run(*key)
        return made[key]

    return get


def check_interruption(run, kept):
    with pytest.raises(KeyboardInterrupt):
        run.train()
    done = len(run.history.losses)
    assert same(weights(run.model), kept[done])
    assert len(run.history.learning_rates) == done
    assert all(parameter.grad is None for parameter in run.model.parameters())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return done


@pytest.mark.parametrize("number", [2, 5, 6])  # in an epoch, at its end, as the next one begins
@pytest.mark.parametrize("place", PLACES)
def test_an_interruption_leaves_a_whole_step_and_is_taken_up(whole, tmp_path, place, number):
    result, kept = whole()
    first = Run(checkpoint=tmp_path)
    place(first, number)
    done = check_interruption(first, kept)
    assert 0 < done < 15

    second = Run(seed=99, checkpoint=tmp_path, resume=True)  # its own random numbers play no part
    second.train()
    check_equal(second.result, result)


@pytest.mark.parametrize("call", ["__enter__", "__exit__"])
def test_an_interruption_leaves_nothing_of_bfloat16_behind(monkeypatch, call):
    """It comes where PyTorch has just begun to compute in bfloat16, or is about to end it."""
    switch, hook = getattr(torch.autocast, call), at_call(2)
    monkeypatch.setattr(torch.autocast, call, lambda *them: (switch(*them), hook())[0])
    with pytest.raises(KeyboardInterrupt):
        Run(bfloat16=True).train()
    check_autocast_is_off()


def check_autocast_is_off():
    assert not torch.is_autocast_enabled("cpu")
    depth = torch.autocast_increment_nesting()
    torch.autocast_decrement_nesting()
    assert depth == 1


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("loader", LOADERS)
def test_every_order_is_taken_up(whole, tmp_path, loader, accumulate):
    result, kept = whole(loader, accumulate)
    steps = len(result[0].losses)
    for place, number in ((between_steps, steps // 3 + 2), (in_forward, 1), (in_evaluation, 1)):
        run = Run(loader, accumulate=accumulate, seed=3, checkpoint=tmp_path, resume=True)
        place(run, number)
        check_interruption(run, kept)
    run = Run(loader, accumulate=accumulate, seed=99, checkpoint=tmp_path, resume=True)
    run.train()
    check_equal(run.result, result)


def test_interruptions_at_any_moment(whole):
    """A second thread sends the signal, wherever the training happens to be."""
    _, kept = whole()
    began = time.perf_counter()
    Run().train()
    lasts = time.perf_counter() - began
    chance = random.Random(0)
    reached = set()
    for _ in range(12):
        timer = threading.Timer(chance.uniform(0, lasts), interrupt)
        run = Run()
        try:
            timer.start()
            run.train()
            timer.join()  # the training was the faster one
        except KeyboardInterrupt:
            assert all(parameter.grad is None for parameter in run.model.parameters())
        done = len(run.history.losses)
        assert same(weights(run.model), kept[done])
        check_autocast_is_off()
        reached.add(done)
    assert len(reached) > 3


def test_another_handler_of_the_signal_is_still_asked():
    asked = []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        run = Run()
        after_the_update(run, 2)
        run.train()
    finally:
        signal.signal(signal.SIGINT, before)
    assert asked == [True]
    assert len(run.history.losses) == 15


def test_a_thread_can_train(whole):
    run = Run()
    torch.manual_seed(3)
    thread = threading.Thread(target=run.train)
    thread.start()
    thread.join()
    check_equal(run.result, whole()[0])


TRAIN = """
import os, signal, sys
from pathlib import Path

folder, fault, tests = sys.argv[1:]
sys.path.insert(0, tests)
import accelerate
import helpers.training.checkpoint
from test_checkpoint import Run

run = Run(checkpoint=folder, save_every=3, resume=True)

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def at_step_8(history, steps):
    if len(history.losses) == 8:
        kill()

save_state, save = accelerate.Accelerator.save_state, helpers.training.checkpoint.save

def kill_in_save_state(accelerator, folder):
    if len(run.history.losses) == 6:
        Path(folder).mkdir()
        Path(folder, "model.safetensors").write_bytes(b"half of it")
        kill()
    save_state(accelerator, folder)

def kill_in_save(state, path):
    if len(run.history.losses) == 6:
        path.write_bytes(b"half of it")
        kill()
    save(state, path)

if fault == "between":
    run.settings["watch"] = at_step_8
elif fault == "model.safetensors":
    accelerate.Accelerator.save_state = kill_in_save_state
elif fault == "progress.bin":
    helpers.training.checkpoint.save = kill_in_save
run.train()
print(len(run.history.losses))
"""


def in_a_process(folder, fault=""):
    return run_loaded(run_code, TRAIN, folder, fault, Path(__file__).parent)


@pytest.mark.parametrize(
    ("fault", "saved"), [("between", 6), ("model.safetensors", 3), ("progress.bin", 3)]
)
def test_a_killed_process_is_taken_up_from_what_was_saved(whole, tmp_path, fault, saved):
    code, _, err = in_a_process(tmp_path, fault)
    assert code == -signal.SIGKILL, err
    names = {path.name for path in tmp_path.iterdir()}
    unfinished = {name for name in names if ".unfinished-" in name}
    assert names - unfinished == {f"step-{saved}-epoch-{saved // 5}"}
    assert len(unfinished) == (fault != "between")

    steps = []
    rest = Run(seed=99, checkpoint=tmp_path, resume=True)
    rest.settings["watch"] = lambda history, _: steps.append(len(history.losses))
    rest.train()
    assert steps[0] == saved + 1
    check_equal(rest.result, whole()[0])
    assert [path.name for path in tmp_path.iterdir()] == ["step-15-epoch-3"]


def test_another_process_goes_on_to_the_same_weights(whole, tmp_path):
    first = Run(checkpoint=tmp_path)
    in_backward(first, 9)
    check_interruption(first, whole()[1])
    code, out, err = in_a_process(tmp_path)
    assert (code, out.strip()) == (0, "15"), err
    done = Run(seed=99, checkpoint=tmp_path, resume=True)
    done.train()  # there is nothing left to do
    check_equal(done.result, whole()[0])


def test_what_is_saved_needs_no_code_to_be_loaded(tmp_path):
    """Tensors, JSON, and pickles of plain values: `weights_only` refuses anything else."""
    Run(checkpoint=tmp_path, save_every=4).train()
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == set(FILES)
    for path in folder.iterdir():
        if path.suffix == ".safetensors":
            assert load_file(path)
        elif path.suffix == ".json":
            assert json.loads(path.read_text())
        else:
            assert load(path)
    assert load(folder / "progress.bin")["step"] == 15


class Planted:
    """Unpickling it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", PICKLES)
def test_a_planted_pickle_is_refused_and_not_run(saved, tmp_path, name):
    folder = shutil.copytree(saved, tmp_path / "copy")
    (state,) = folder.iterdir()
    torch.save(Planted(tmp_path / "ran"), state / name)
    sums = json.loads((state / "sha256.json").read_text())
    sums[name] = hashlib.sha256((state / name).read_bytes()).hexdigest()
    (state / "sha256.json").write_text(json.dumps(sums))
    refused(folder, "a damaged one: .*[Ww]eights")
    assert not (tmp_path / "ran").exists()


def test_an_interruption_while_it_saves_keeps_what_was_saved(whole, tmp_path, monkeypatch):
    """A second Ctrl-C, from somebody who can't wait."""
    import helpers.training.checkpoint

    plain = helpers.training.checkpoint.save

    def save(state, path):
        if len(first.history.losses) == 6:
            interrupt()
        plain(state, path)

    first = Run(checkpoint=tmp_path, save_every=4)
    between_steps(first, 7)
    monkeypatch.setattr(helpers.training.checkpoint, "save", save)
    check_interruption(first, whole()[1])
    assert [path.name for path in tmp_path.iterdir()] == ["step-4-epoch-0"]
    monkeypatch.undo()
    second = Run(seed=99, checkpoint=tmp_path, resume=True)
    second.train()
    check_equal(second.result, whole()[0])


def test_nothing_saved_means_from_the_beginning(whole, tmp_path):
    run = Run(checkpoint=tmp_path / "new" / "folder", resume=True)
    run.train()
    check_equal(run.result, whole()[0])


OWN_FOLDERS = [
    "part-1",
    "unfinished-book",
    "step-by-step",
    "step-3-epoch-0.unfinished-mine",
    "step-3-epoch-0.unfinished-0123456",
]


@pytest.mark.parametrize("accepted", [True, False])
def test_a_users_files_are_never_touched(saved, tmp_path, accepted):
    """Whatever they are called, and whether or not the training is refused."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    mine = [folder / name / "model.safetensors" for name in OWN_FOLDERS]
    mine += [folder / "notes.txt", folder / "step-4-epoch-0" / "notes.txt"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    Run(checkpoint=folder, resume=True).train() if accepted else refused(
        folder, "no saved training", resume=False
    )
    assert [path.read_text() for path in mine] == ["mine"] * len(mine)
    states = {path.parent.name for path in folder.glob("*/sha256.json")}
    assert states == {"step-15-epoch-3" if accepted else "step-4-epoch-0"}


def test_a_refused_training_makes_no_folder(tmp_path):
    run = Run(checkpoint=tmp_path / "new")
    run.history.losses.append(0.5)
    with pytest.raises(ValueError, match="Pass a fresh one"):
        run.train()
    assert not list(tmp_path.iterdir())


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Run(checkpoint="~/run").train()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert (tmp_path / "home" / "run" / "step-15-epoch-3").is_dir()


def test_a_history_with_steps_in_it_is_never_overwritten(saved):
    run = Run(checkpoint=saved, resume=True)
    run.history.losses[:] = [0.1, 0.2, 0.3, 0.4]
    with pytest.raises(ValueError, match=r"got one of 4 steps.* History\(\)"):
        run.train()
    assert run.history.losses == [0.1, 0.2, 0.3, 0.4]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    run = Run(checkpoint=folder)
    between_steps(run, 4)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    return folder


def refused(saved, match, **changes):
    """See that a changed training is not taken up, and that nothing of it has been changed."""
    run = Run(checkpoint=saved, resume=True)
    for name, value in changes.items():
        if name in run.settings:
            run.settings[name] = value
        else:
            setattr(run, name, value)
    before = weights(run.model)
    with pytest.raises(ValueError, match=match) as caught:
        run.train()
    assert same(weights(run.model), before)
    assert not run.history.losses
    assert not run.optimizer.state
    return str(caught.value)


def test_a_saved_training_is_not_overwritten(saved):
    message = refused(saved, "no saved training; got one with .*step-4-epoch-0", resume=False)
    for remedy in ("resume=True", "another folder", "remove this one"):
        assert remedy in message


def test_a_saved_training_that_does_not_fit_is_refused(saved):
    refused(saved, r"the number of all steps: 9 instead of 15\. Pass the same .*", accumulate=2)
    refused(saved, "the schedule: None instead of LambdaLR", schedule=None)

    model = make_model(num_labels=3)
    other = make_optimizer(model)
    schedule = linear_schedule(other, make_loader(ROWS), epochs=3)
    settings = {"model": model, "optimizer": other, "schedule": schedule}
    refused(saved, r"classifier.(weight|bias): \[3.*\] instead of \[2", **settings)

    model = make_model()
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = linear_schedule(other, make_loader(ROWS), epochs=3)
    settings = {"model": model, "optimizer": other, "schedule": schedule}
    refused(saved, "the optimizer: SGD instead of AdamW", **settings)

    other = torch.optim.AdamW([{"params": [p]} for p in model.parameters()])
    schedule = linear_schedule(other, make_loader(ROWS), epochs=3)
    settings = {"model": model, "optimizer": other, "schedule": schedule}
    refused(saved, r"groups: \[1, 1, .*\] instead of \[\d+\]", **settings)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [Path.unlink, cut, flip_a_bit])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_checkpoint_is_named_and_not_loaded(saved, tmp_path, name, damage):
    folder = shutil.copytree(saved, tmp_path / "copy")
    damage(folder / "step-4-epoch-0" / name)
    message = refused(folder, "a complete saved training in .*step-4-epoch-0; got a damaged one")
    assert "Restore it from a copy, or choose another folder" in message


def lay_out_by_columns(run):
    for layer in run.model.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.data = layer.weight.data.T.contiguous().T


def share_a_weight(run):
    one, other = run.model.bert.encoder.layer
    other.attention.self.key.weight = one.attention.self.key.weight


def give_the_rate_as_a_tensor(run):
    run.optimizer = make_optimizer(run.model, lr=torch.tensor(5e-3))
    run.schedule = linear_schedule(run.optimizer, run.loader, epochs=3)


def evaluate_to_tensors(run):
    run.evaluate = lambda: {"loss": torch.tensor(0.5), "f1": np.float32(0.25), "rows": np.int64(3)}


@pytest.mark.parametrize(
    "change",
    [lay_out_by_columns, share_a_weight, give_the_rate_as_a_tensor, evaluate_to_tensors],
)
def test_what_can_be_trained_can_be_saved_and_resumed(tmp_path, change):
    whole, first, second = Run(), Run(checkpoint=tmp_path), Run(checkpoint=tmp_path, resume=True)
    for run in (whole, first, second):
        change(run)
    torch.manual_seed(3)
    whole.train()
    torch.manual_seed(3)
    between_steps(first, 7)
    with pytest.raises(KeyboardInterrupt):
        first.train()
    second.train()
    check_equal(second.result, whole.result)


def test_a_training_that_cannot_be_saved_is_refused_before_its_first_step(tmp_path):
    run = Run(checkpoint=tmp_path)
    run.optimizer.param_groups[0]["why"] = lambda: "not even a pickle holds this"
    with pytest.raises(TrainingError, match=r"a training that can be saved; got .* Train without"):
        run.train()
    assert not run.history.losses
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["step", "forward"])
def test_a_waiting_interruption_is_not_lost_if_the_step_raises(tmp_path, place):
    """And a step that failed halfway is not saved as a whole one."""

    def fail(*_):
        if len(run.history.losses) == 2:
            interrupt()
            raise RuntimeError("no memory")

    run = Run(checkpoint=tmp_path, save_every=1)
    if place == "step":
        run.optimizer.register_step_post_hook(fail)
    else:
        run.model.classifier.register_forward_hook(fail)
    with pytest.raises(KeyboardInterrupt) as caught:
        run.train()
    assert str(caught.value.__context__) == "no memory"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [path.name for path in tmp_path.iterdir()] == ["step-2-epoch-0"]


def test_a_list_of_batches_can_be_resumed(tmp_path):
    results = []
    for stop in (99, 7, 99):
        run = Run(checkpoint=tmp_path / str(len(results) > 0), resume=True)
        run.loader = list(make_loader(ROWS))
        torch.manual_seed(3)
        between_steps(run, stop)
        with contextlib.suppress(KeyboardInterrupt):
            run.train()
        results.append(run.result)
    check_equal(results[0], results[2])


def test_a_masking_collator_is_resumed_in_the_middle_of_an_epoch(tmp_path):
    """It draws random numbers for each batch, in turn with the dropout."""

    def masked(rows):
        batch = make_loader(ROWS).collate_fn(rows)
        batch["input_ids"][torch.rand(batch["input_ids"].shape) < 0.2] = 1
        return batch

    results = []
    for folder, stop in (("whole", 99), ("parts", 8), ("parts", 99)):
        run = Run(checkpoint=tmp_path / folder, resume=True)
        run.loader.collate_fn = masked
        between_steps(run, stop)
        with contextlib.suppress(KeyboardInterrupt):
            run.train()
        results.append(run.result)
    check_equal(results[0], results[2])


def test_a_file_in_the_place_of_the_folder_is_seen_at_once(tmp_path):
    (tmp_path / "file").write_text("mine")
    run = Run(checkpoint=tmp_path / "file")
    with pytest.raises(FileExistsError):
        run.train()
    assert not run.history.losses
