"""Find which of many upgrades a difference comes from, by halves, as `git bisect` does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Set

from tools.canary.environments import InstallError

Seen = Callable[[int, Set[Hashable]], Set[Hashable]]


def search(wanted: Set[Hashable], count: int, seen: Seen) -> dict[Hashable, tuple[int, int]]:
    """Find, for each difference, between which two steps it appears.

    Parameters
    ----------
    wanted : set
        The differences that are there after all upgrades.
    count : int
        How many upgrades there are, in an order.
    seen : callable
        Does the first so many upgrades, and gives those of some differences that are there then. It
        may raise `InstallError`.

    Returns
    -------
    dict
        For each difference two numbers of upgrades, without it and with it. They are neighbors,
        unless what is between them couldn't be installed.
    """
    found: dict[Hashable, tuple[int, int]] = {}

    def split(wanted: Set[Hashable], low: int, high: int) -> None:
        if not wanted:
            return
        early: Set[Hashable] | None = None
        middle = (low + high) // 2
        if high - low > 1:
            with contextlib.suppress(InstallError):
                early = wanted & seen(middle, wanted)
        if early is None:
            found.update(dict.fromkeys(wanted, (low, high)))
        else:
            split(early, low, middle)
            split(wanted - early, middle, high)

    split(wanted, 0, count)
    return found
