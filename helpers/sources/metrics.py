"""The metric of a benchmark, computed here: no script is fetched from the Hub, and none is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from evaluate import Metric

    Classes = npt.NDArray[np.integer]

__all__ = ["accuracy", "f1", "load_metric"]


def load_metric(path: str, config_name: str | None = None) -> Metric:
    """Load the metric that GLUE measures MRPC with: accuracy and F1.

    ``evaluate.load("glue", "mrpc")`` gives the same from a script that it fetches from the Hub and
    runs. This one needs no network and writes no file.

    Parameters
    ----------
    path : str
        The metric's name: "glue".
    config_name : str or None, default=None
        Which of its parts: "mrpc".

    Returns
    -------
    evaluate.Metric
        Its ``compute`` gives ``accuracy`` and ``f1``, of all rows that ``add_batch`` was given or
        of those passed to it.

    Raises
    ------
    ValueError
        If it is another metric.
    """
    if path != "glue" or config_name != "mrpc":
        raise ValueError(
            f"Expected 'glue' and 'mrpc', got {path!r} and {config_name!r}. Any other metric needs "
            "the network: load it with evaluate.load."
        )
    from datasets import Features, Value
    from evaluate import Metric, MetricInfo

    class Glue(Metric):
        """Accuracy and F1, in memory."""

        def _info(self) -> MetricInfo:
            return MetricInfo(
                description="Accuracy and F1, as GLUE measures MRPC.",
                citation="Wang et al., 2019, GLUE: A Multi-Task Benchmark and Analysis Platform.",
                inputs_description="predictions and references: class numbers, 0 or 1.",
                features=Features({"predictions": Value("int64"), "references": Value("int64")}),
                format="numpy",
            )

        def _build_data_dir(self) -> str:
            return ""  # evaluate would make a folder here that a metric in memory never uses

        def add_batch(self, *, predictions: Any = None, references: Any = None) -> None:
            """Add rows. Unchecked, evaluate would turn 0.7 into 0."""
            predicted, true = _checked(predictions, references)
            super().add_batch(predictions=predicted, references=true)

        def add(self, *, prediction: Any = None, reference: Any = None) -> None:
            """Add one row."""
            self.add_batch(predictions=[prediction], references=[reference])

        def _compute(
            self, *, predictions: Sequence[int], references: Sequence[int]
        ) -> dict[str, float]:
            return {
                "accuracy": accuracy(predictions, references),
                "f1": f1(predictions, references),
            }

    return Glue(config_name, keep_in_memory=True, hash="")


def accuracy(predictions: Sequence[int], references: Sequence[int]) -> float:
    """Compute the share of predictions that are right.

    Parameters
    ----------
    predictions : sequence of int
        The predicted classes, (rows,).
    references : sequence of int
        The true classes, (rows,).

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If they aren't as many whole numbers as each other, or there are none.
    """
    predicted, true = _checked(predictions, references)
    return float((predicted == true).mean())


def f1(predictions: Sequence[int], references: Sequence[int]) -> float:
    """Compute the harmonic mean of precision and recall for class 1.

    With TP the rows that are rightly predicted to be of class 1, FP those wrongly, and FN those of
    class 1 that were missed, it is 2 TP / (2 TP + FP + FN) [1]_.

    Parameters
    ----------
    predictions : sequence of int
        The predicted classes, (rows,).
    references : sequence of int
        The true classes, (rows,).

    Returns
    -------
    float
        Between 0 and 1; 0 where class 1 is neither there nor predicted, as in scikit-learn.

    Raises
    ------
    ValueError
        If they aren't as many whole numbers as each other, or there are none.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979.
    """
    predicted, true = (classes == 1 for classes in _checked(predictions, references))
    either = int(predicted.sum() + true.sum())  # 2 TP + FP + FN
    return 2 * int((predicted & true).sum()) / either if either else 0.0


def _checked(
    predictions: Sequence[int] | None, references: Sequence[int] | None
) -> tuple[Classes, Classes]:
    """Give both as arrays, if each is a class for every row."""
    import numpy as np

    predicted, true = np.asarray(predictions), np.asarray(references)
    for name, classes in (("predictions", predicted), ("references", true)):
        if classes.ndim != 1 or classes.dtype.kind not in "iub" or not classes.size:
            raise ValueError(
                f"Expected {name} to be a class number for each row, (rows,); got {classes.dtype} "
                f"of shape {classes.shape}. Take the highest logit, logits.argmax(-1), and number "
                "named classes from 0. A regression needs another metric, such as scikit-learn's "
                "mean_squared_error."
            )
    if len(predicted) != len(true):
        raise ValueError(
            f"Expected as many predictions as references; got {len(predicted)} and {len(true)}. "
            "Predict each row once, in the order of the references."
        )
    return predicted, true
