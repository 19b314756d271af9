"""The metric of a benchmark, computed here: no script is fetched from the Hub, and none is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluate import Metric

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

        def _compute(self, *, predictions, references) -> dict[str, float]:
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
    """
    return _right(predictions, references) / len(references)


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

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979.
    """
    import numpy as np

    predicted, true = np.asarray(predictions) == 1, np.asarray(references) == 1
    either = int(predicted.sum() + true.sum())  # 2 TP + FP + FN
    return 2 * int((predicted & true).sum()) / either if either else 0.0


def _right(predictions: Sequence[int], references: Sequence[int]) -> int:
    import numpy as np

    return int((np.asarray(predictions) == np.asarray(references)).sum())
