"""Run what a reader wrote, which may raise, never end, or change what it is given."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import functools
import inspect
import io
import random
import sys
import threading
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)


class TooSlowError(Exception):
    """An answer didn't come in time."""


class AnswerFailedError(Exception):
    """A reader's function raised an error.

    Parameters
    ----------
    error : BaseException
        The error.
    arguments : tuple
        What the function was called with.
    """

    def __init__(self, error: BaseException, arguments: tuple[Any, ...]) -> None:
        super().__init__(error, arguments)
        self.error = error
        self.arguments = arguments


class _Stop(BaseException):
    """Raised within a thread, to end it."""


def within(seconds: float, function: Callable[[], Any]) -> Any:
    """Call a function in a thread of its own, and give its result, or raise what it raised.

    Works on every system, and while the function loops forever. One that waits inside C code
    can't be stopped; it is left behind.
    """
    result: dict[str, Any] = {}

    def run() -> None:
        try:
            result["value"] = function()
        except BaseException as error:  # even one that ends a program ends only the answer
            result["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    with contextlib.redirect_stdout(io.StringIO()):
        thread.start()
        try:
            thread.join(seconds)
        finally:
            if thread.is_alive():
                _stop(thread)
    if not result:
        raise TooSlowError
    error = result.get("error")
    if isinstance(error, _Stop):
        raise TooSlowError
    if isinstance(error, Exception):
        raise error
    if error is not None:
        raise AnswerFailedError(error, ())
    return result["value"]


def _stop(thread: threading.Thread) -> None:
    """Raise an exception inside a thread: there is no other way to end one."""
    identity = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_Stop))
    thread.join(1)


def guarded(answer: Any) -> Any:
    """Wrap a function so that it gets copies, and its errors are told from those of the check.

    The wrapped function keeps what it returned last, in a list of one, as its ``returned``.
    """
    if not isinstance(answer, FUNCTIONS):
        return answer
    returned: list[Any] = []

    @functools.wraps(answer)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            returned[:] = [answer(*_copies(arguments), **named)]
            return returned[0]
        except _Stop:
            raise
        except BaseException as error:
            raise AnswerFailedError(error, arguments) from error

    call.returned = returned  # type: ignore[attr-defined]
    return call


def _copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return copy.deepcopy(arguments)
    except Exception:  # some objects can't be copied: then they are shared
        return arguments


def same_code(answer: Any, other: Any) -> bool:
    """Say whether two functions consist of the same instructions."""
    if not (inspect.isfunction(answer) and inspect.isfunction(other)):
        return False
    return _instructions(answer.__code__) == _instructions(other.__code__)


def _instructions(code: Any) -> tuple[Any, ...]:
    constants = (_instructions(c) if inspect.iscode(c) else repr(c) for c in code.co_consts)
    return code.co_code, code.co_names, tuple(constants)


@contextlib.contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Leave the random numbers of later cells as they would have been without a check."""
    python, numpy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    torch_state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch:
            torch.set_rng_state(torch_state)
