"""Everything that helpers show, with Greek data: see `pseudo_language.py`."""

import importlib.util
import io
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from docutils import nodes
from matplotlib.text import Text
from pseudo_language import seen
from repository import ROOT
from small_training import make_loader, make_model, make_optimizer, make_rows

from helpers import display
from helpers.display import curves, explorers, heatmaps, model_explorers, pictures, plots
from helpers.practice import checking, exercises, hint, quiz, solution
from helpers.practice.exercises import Condition, Exercise, read_exercises
from helpers.text import batch_table
from helpers.text.attention import Attention
from helpers.text.pairs import PairAnswer
from helpers.text.pipeline_steps import Steps
from helpers.text.predictions import Prediction
from helpers.training import duration, estimate_duration, train


def tokens(**fields):
    columns = {"sequence": [0, 1], "position": [0, 0], "token": ["ω", "β"]}
    columns |= {"kind": ["special", "unknown"], "id": [5, 6], "token_type": [0, 0]}
    columns |= {"attention": [1, 1], "label": ["θ", -100], "answer": ["δ", "ε"]}
    return pd.DataFrame(columns | fields)


def padded(padding, *lengths):
    outcome = {"padding": padding, "truncation": None, "max_length": None, "lengths": lengths}
    outcome |= {"shape": "ragged" if len(set(lengths)) > 1 else "(2, 1)", "cut": 0, "padded": 0}
    table = tokens(kind=["padding", "special"])
    return pictures.padding_picture(table, outcome, notes=["ζ"])


MANY = ["δ"] * 25
STEPS = Steps("ω", tokens(kind=["unknown", "padding"]), [1.0], [1.0], ["λ"], {}, truncated=True)
PAIR = PairAnswer(["λ"], [1.0], [1.0], truncated=True)
GAPS = {"μ": Prediction(["[MASK]", "ω", "β"], [True, True, False], ["π"], [1.0])}
PICTURES = {
    "attention_picture": [lambda: pictures.attention_picture(np.ones((25, 25)) / 25, MANY)],
    "batches_picture": [
        lambda: pictures.batches_picture(batch_table([1, 2], [[0, 1]] * 3), shown=2)
    ],
    "diff_picture": [lambda: pictures.diff_picture("ω", "β")],
    "mask_picture": [lambda: pictures.mask_picture([[1, 0], [1, 1]], ["ω", "β"])],
    "measure_picture": [lambda: pictures.measure_picture(pd.DataFrame({"ω": [1]}, ["β"]))],
    "padding_picture": [
        lambda: padded(True, 1, 1),
        lambda: padded(False, 1, 2, 25),
        lambda: padded("max_length", 1, 2),
    ],
    "pair_labels_picture": [lambda: pictures.pair_labels_picture(PAIR)],
    "pair_picture": [lambda: pictures.pair_picture(PAIR)],
    "prediction_picture": [lambda: pictures.prediction_picture(GAPS)],
    "probability_picture": [lambda: pictures.probability_picture(["ω"], [0.5])],
    "progress_picture": [
        lambda: pictures.progress_picture(0, 0),
        lambda: pictures.progress_picture(1, 2, seconds=5),
        lambda: pictures.progress_picture(1, 2, seconds=500),
    ],
    "similarity_picture": [lambda: pictures.similarity_picture(["ω"], [0.5])],
    "split_picture": [lambda: pictures.split_picture({"ω": ["β"]})],
    "steps_picture": [lambda: pictures.steps_picture(STEPS)],
    "token_picture": [
        lambda: pictures.token_picture(tokens()),
        lambda: pictures.token_picture(tokens(kind=["padding"] * 2)),
        lambda: pictures.token_picture(tokens(kind=["padding"] * 2, attention=[0, 0])),
    ],
}
LONG = SimpleNamespace(losses=[1.0] * 40, evaluations=[{"step": 1, "φ": 0.5}])
SHORT = SimpleNamespace(losses=[1.0], evaluations=[])
PLOTS = {
    "confusion_heatmap": [lambda: heatmaps.confusion_heatmap([0, 1], [1, 1], ["ω", "β"])],
    "interval_plot": [lambda: plots.interval_plot({"ω": (1, 0, 2)}, label="β")],
    "learning_curve": [
        lambda: curves.learning_curve(LONG, metric="φ", baselines={"ω": 0.5}),
        lambda: curves.learning_curve(SHORT),
    ],
    "learning_rates": [lambda: curves.learning_rates({"ω": [1e-5, 2e-5]})],
    "measured_bars": [lambda: plots.measured_bars({"ω": 1.0}, label="β")],
    "measured_lines": [lambda: plots.measured_lines([1], {"ω": [1]}, x_label="β", label="θ")],
    "padding_plot": [lambda: plots.padding_plot([1, 2], {"ω": ([[0, 1]], None)})],
    "similarity_heatmap": [lambda: heatmaps.similarity_heatmap(np.eye(2), ["ω", "β"])],
}


def lives(tokenizer):
    """Make a live thing of each kind; where a model would answer, an answer stands here."""
    with pytest.MonkeyPatch.context() as patch:
        answers = {
            "three_steps": STEPS,
            "nearest": [("ω", 0.5), ("β", 0.25)],
            "read_attention": Attention(MANY, np.ones((1, 1, 25, 25)) / 25),
            "predict_masked": GAPS["μ"],
            "predict_next": GAPS["μ"],
            "compare_pair": PAIR,
        }
        for name, answer in answers.items():
            patch.setattr(model_explorers, name, lambda *_, answer=answer: answer)
        sizes = {"num_hidden_layers": 1, "num_attention_heads": 1}
        model = SimpleNamespace(config=SimpleNamespace(**sizes))
        patch.setattr(
            explorers.results,
            "tokenizers_for_page",
            lambda _: {"π": "bert-base-uncased", "ξ": None},
        )
        # a state is asked for its answer once, here
        made = [
            display.attention_explorer(None, model, text="ω"),
            display.batching_explorer([*range(1, 60)], batch_size=4),
            display.encoding_explorer(tokenizer, text="ω"),
            display.gap_explorer((None, None), (None, None), text="ω"),
            display.mask_explorer(text="ω β", target="θ δ"),
            display.nearest_explorer(None, ["ω", "β"], text="ω"),
            display.padding_explorer(
                tokenizer, ["ω ψ θ", "ω"], padding="max_length", truncation=False, max_length=4
            ),
            display.pair_explorer(None, None, first="ω", second="β"),
            display.pipeline_explorer(None, None, text="ω"),
            display.temperature_explorer([1.0, 2.0], {0: "ω", 1: "β"}),
            display.tokenizer_explorer({"π": tokenizer}, text="ω"),
            quiz("1-0"),
        ]
        return {live.kind: (live, live._repr_mimebundle_()[0]["text/html"]) for live in made}


def training():
    """Give what a training says."""
    curve = display.LearningCurve(metric="φ", baselines={"ω": 0.5})
    shown = [curve.picture.tooltip, seen(curve.bar.value)]
    for scores in ({"ψ": 0.5}, {"φ": 0.5}):
        curve(SimpleNamespace(losses=[1.0], evaluations=[{"step": 1, **scores}]), 2)
        shown += [curve.picture.tooltip, seen(curve.bar.value)]
    shown.append(seen(curve._repr_mimebundle_()["text/html"]))
    model, loader = make_model(), make_loader(make_rows(4))
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
        estimate_duration(model, loader)
        train(model, loader, make_optimizer(model))
    shown.append(out.getvalue().replace("it/s", ""))  # tqdm's own
    return shown + [duration._in_words(seconds) for seconds in (1, 100, 5400)]


def exercise(kind, **changed):
    fields = {
        "name": "9-9/1",
        "kind": kind,
        "start": "double = ...",
        "solution": "double = 2",
        "right": "Ω {expected}",
        "conditions": (
            Condition("not callable(answer) or is_number(answer(1))", "Ψ."),
            Condition("answer == expected", "Ψ."),
        ),
        "mistakes": (),
        "hints": ("Φ.", "Δ."),
        "seconds": 1,
    }
    return Exercise(**fields | changed)


def checks():
    """Give a note of each state, for each kind of exercise and of answer."""

    def fails(x):
        raise KeyError

    def endless(x):
        while True:
            pass

    answers = (3, [1], np.ones(2), lambda x: None, lambda x: "ω", fails, endless, 2)
    notes = [checking.judge(exercise(kind), ..., {}) for kind in exercises.KINDS]
    notes += [checking.judge(exercise("function"), answer, {}) for answer in answers]
    notes += [checking.judge(exercise("value", setup="ω"), 3, {})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "find_exercise", lambda name: exercise("value"))
        patch.setattr(checking, "_hints_given", {})
        notes += [solution("9-9/1"), hint("9-9/1"), hint("9-9/1")]
    assert {note.state for note in notes} == {"open", "right", "wrong", "stuck", "hint"}
    return [note.words for note in notes]


def hints():
    """Give every hint of the book."""
    numbers = sorted(path.stem for path in exercises.FOLDER.glob("*.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "_hints_given", {})
        return [
            hint(name).words
            for number in numbers
            for name, one in read_exercises(number).items()
            for _ in one.hints
        ]


def folded_solution():
    """Give what a page says below an exercise."""
    path = ROOT / "book" / "_ext" / "course_practice.py"
    spec = importlib.util.spec_from_file_location("course_practice", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    name = next(n for n, one in read_exercises("1-1").items() if "{expected}" not in one.right)
    page = nodes.container("", nodes.container("", nodes.Text(f'check("{name}", x)')))
    page[0]["classes"] = ["cell"]
    module.add_solutions(None, page)
    title, _, why = page[1]
    return [title.astext(), why.astext()]


def quizzes():
    """Give every question of the book."""
    numbers = sorted(path.stem for path in exercises.FOLDER.glob("*.yaml"))
    return [seen(quiz(number).picture) for number in numbers]


# By name, a function that gives all that readers see of a thing.
SHOWN = {
    name: lambda draws=draws: [seen(draw()) for draw in draws] for name, draws in PICTURES.items()
}
SHOWN |= {
    name: lambda draws=draws: [t.get_text() for draw in draws for t in draw().findobj(Text)]
    for name, draws in PLOTS.items()
}
SHOWN |= {one.__name__: one for one in (training, checks, hints, folded_solution, quizzes)}
