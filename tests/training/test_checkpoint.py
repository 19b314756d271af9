"""A training that is interrupted: the model is whole, and it goes on as if nothing had been."""

import json
import os
import random
import signal
import threading
import time

import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
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
import helpers.training.checkpoint
from test_checkpoint import Run

folder, fault = sys.argv[1:]
run = Run(checkpoint=folder, save_every=3, resume=True)

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def at_step_8(history, steps):
    if len(history.losses) == 8:
        kill()

if fault == "between":
    run.settings["watch"] = at_step_8
elif fault:
    plain = getattr(helpers.training.checkpoint, "save_file")
    def save_file(tensors, path):
        if len(run.history.losses) == 6 and fault in str(path):
            path.write_bytes(b"half of it")
            kill()
        plain(tensors, path)
    helpers.training.checkpoint.save_file = save_file
run.train()
print(len(run.history.losses))
"""


@pytest.mark.parametrize(
    ("fault", "saved"), [("between", 6), ("model.safetensors", 3), ("random.safetensors", 3)]
)
def test_a_killed_process_is_taken_up_from_what_was_saved(whole, tmp_path, fault, saved):
    code, _, err = run_loaded(run_code, TRAIN, tmp_path, fault)
    assert code == -signal.SIGKILL, err
    assert [path.name for path in tmp_path.glob("step-*")] == [f"step-{saved}-epoch-{saved // 5}"]
    assert len(list(tmp_path.glob("part-*"))) == (fault != "between")

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
    code, out, err = run_loaded(run_code, TRAIN, tmp_path, "")
    assert (code, out.strip()) == (0, "15"), err
    done = Run(seed=99, checkpoint=tmp_path, resume=True)
    done.train()  # there is nothing left to do
    check_equal(done.result, whole()[0])


def test_what_is_saved_is_tensors_and_json_and_nothing_else(tmp_path):
    Run(checkpoint=tmp_path, save_every=4).train()
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.safetensors",
        "optimizer.safetensors",
        "progress.json",
        "random.safetensors",
    ]
    for path in folder.glob("*.safetensors"):
        assert load_file(path)
        header = int.from_bytes(path.read_bytes()[:8], "little")
        json.loads(path.read_bytes()[8 : 8 + header])
    assert json.loads((folder / "progress.json").read_text())["step"] == 15


def test_an_interruption_while_it_saves_keeps_what_was_saved(whole, tmp_path, monkeypatch):
    """A second Ctrl-C, from somebody who can't wait."""
    import helpers.training.checkpoint

    plain = helpers.training.checkpoint.save_file

    def save_file(tensors, path):
        if path.name == "random.safetensors" and len(first.history.losses) == 6:
            interrupt()
        plain(tensors, path)

    first = Run(checkpoint=tmp_path, save_every=4)
    between_steps(first, 7)
    monkeypatch.setattr(helpers.training.checkpoint, "save_file", save_file)
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


def test_what_else_lies_in_the_folder_stays(tmp_path):
    for name in ("step-by-step", "notes.txt"):
        (tmp_path / name).write_text("mine")
    Run(checkpoint=tmp_path).train()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "step-15-epoch-3",
        "step-by-step",
    ]


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
    message = refused(saved, "a training is saved in .*step-4-epoch-0", resume=False)
    for remedy in ("resume=True", "another folder", "remove this one"):
        assert remedy in message


def test_a_saved_training_that_does_not_fit_is_refused(saved):
    refused(saved, r"training of 9 steps in all; .* has 15\. Pass the same loader", accumulate=2)
    refused(saved, "has AdamW and LambdaLR", schedule=None)

    model = make_model(num_labels=3)
    settings = {"model": model, "optimizer": make_optimizer(model), "schedule": None}
    other = make_optimizer(model)
    settings["schedule"] = linear_schedule(other, make_loader(ROWS), epochs=3)
    refused(saved, r"classifier.bias is \(2,\) there and \(3,\) here", **settings)

    model = make_model()
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = linear_schedule(other, make_loader(ROWS), epochs=3)
    settings = {"model": model, "optimizer": other, "schedule": schedule}
    refused(saved, "Expected SGD and LambdaLR; .* has AdamW and LambdaLR", **settings)

    other = torch.optim.AdamW([{"params": [p]} for p in model.parameters()])
    schedule = linear_schedule(other, make_loader(ROWS), epochs=3)
    settings = {"model": model, "optimizer": other, "schedule": schedule}
    refused(saved, r"groups of \[1, 1", **settings)


def test_a_file_in_the_place_of_the_folder_is_seen_at_once(tmp_path):
    (tmp_path / "file").write_text("mine")
    run = Run(checkpoint=tmp_path / "file")
    with pytest.raises(FileExistsError):
        run.train()
    assert not run.history.losses
