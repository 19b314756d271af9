"""Compare one environment with the next: run, compare, run again, and find the culprits."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tools.canary.comparing import Noise, Place, compare, notebook_name
from tools.canary.culprit import search
from tools.canary.environments import Environment, install, read_lock, resolve, write_lock
from tools.canary.reader import passages
from tools.canary.report import Finding, Stage
from tools.canary.running import run


class Release(NamedTuple):
    """A lock, what people call it, and the options with which uv makes it of the one before."""

    name: str
    lock: Path
    options: tuple[str, ...] = ()


class Book(NamedTuple):
    """The notebooks to run, and a folder for environments."""

    root: Path
    sources: Sequence[Path]
    work: Path


def watch(book: Book, target: Path, *, pre: bool = False) -> list[Stage]:
    """Compare the lock with the newest releases, and these with pre-releases.

    Parameters
    ----------
    book : Book
        What to run.
    target : Path
        Where to write the lock with the newest releases.
    pre : bool
        Whether to go on to pre-releases.

    Returns
    -------
    list of Stage
        What each step changes.

    Raises
    ------
    InstallError
        If uv couldn't install, or couldn't reach the registry.
    """
    releases = [
        Release("the lock", book.root / "requirements.lock"),
        Release("the newest releases", target, ("--upgrade",)),
        Release("pre-releases", book.work / "pre.lock", ("--upgrade", "--prerelease", "allow")),
    ]
    releases = releases[: 3 if pre else 2]
    environments = []
    for number, release in enumerate(releases):
        say(f"Installing {release.name}: seconds, or minutes where uv has to download it.")
        if number:
            resolve(book.root, releases[number - 1].lock, release.lock, *release.options)
        environments.append(install(book.root, release.lock, book.work / str(number)))
    pairs = zip(pairwise(environments), pairwise(releases), strict=True)
    return [step(book, *both, *locks) for both, locks in pairs]


def step(book: Book, old: Environment, new: Environment, before: Release, after: Release) -> Stage:
    """Find the differences between two environments, and the culprit of each."""
    changed = changes(old.versions, new.versions)
    if not changed:
        return Stage(after.name, {}, [])
    found = differences(book, old, new)
    if found:
        say("Running what differs once more: what doesn't differ twice is chance.")
        again = differences(book, old, new, {name for name, _, _ in found})
        for one in (found[place] for place in found.keys() - again.keys()):
            say(f"Seen once: {one.cell}: {one.difference.kind}: {one.difference.detail}")
        found = {place: one for place, one in again.items() if place in found}
    for place, name in culprits(book, found.keys(), old, changed, before, after).items():
        found[place].culprit = name
    return Stage(after.name, changed, list(found.values()))


def differences(
    book: Book, old: Environment, new: Environment, names: Set[str] | None = None
) -> dict[Place, Finding]:
    """Run notebooks, those named or all, in both environments at the same time, and compare."""
    found = {}
    for source in book.sources:
        name = notebook_name(source)
        if names is None or name in names:
            before, after = run(source, [old, new])
            for place, one in compare(name, before, after, Noise(old, new)).items():
                found[place] = Finding(place, one, passages(book.root, before, after, one))
    return found


def culprits(
    book: Book,
    found: Set[Place],
    old: Environment,
    changed: Mapping[str, tuple[str, str]],
    before: Release,
    after: Release,
) -> dict[Place, str]:
    """Name the upgrade that each difference comes from.

    Packages are upgraded in the order of their names, each with those that it needs upgraded, too.
    A difference that needs two upgrades is the second one's.
    """
    packages = [name for name, versions in changed.items() if all(versions)]
    # with the labels of builds, such as +cpu: uv keeps no version that it knows under another name
    start = write_lock({**read_lock(before.lock), **old.versions}, book.work / "start.lock")

    @functools.cache
    def lock(count: int) -> Path:
        """Write the lock in which the first so many packages are upgraded."""
        if count == 0:
            return before.lock
        if count >= len(packages):
            return after.lock
        options = [word for word in after.options if word != "--upgrade"]
        options += [f"--upgrade-package={p}=={changed[p][1]}" for p in packages[:count]]
        return resolve(book.root, start, book.work / f"{count}.lock", *options)

    def seen(count: int, wanted: Set[Place]) -> Set[Place]:
        say(f"Looking for the culprit with {count} of {len(packages)} packages upgraded.")
        probe = install(book.root, lock(count), book.work / "probe")
        there = differences(book, old, probe, {name for name, _, _ in wanted}).keys()
        slow = {name for name, _, kind in there & wanted if kind == "time"}
        if slow:  # anything is slow the first time it runs in a new environment
            again = differences(book, old, probe, slow).keys()
            there = {place for place in there if place[2] != "time" or place in again}
        return there

    names = {}
    for place, (low, high) in search(found, max(1, len(packages)), seen).items():
        steps = changes(read_lock(lock(low)), read_lock(lock(high)))
        names[place] = describe({name: steps[name] for name in steps if name in changed})
    return names


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """List the packages whose version differs, with both versions; one that isn't there has ""."""
    pairs = {name: (old.get(name, ""), new.get(name, "")) for name in sorted({*old, *new})}
    return {name: pair for name, pair in pairs.items() if public(pair[0]) != public(pair[1])}


def public(version: str) -> str:
    """Leave out the label of a build, such as +cpu."""
    return version.partition("+")[0]


def describe(steps: Mapping[str, tuple[str, str]]) -> str:
    """Write upgrades in one line."""
    pairs = (f"{name} {old or 'none'} → {new or 'none'}" for name, (old, new) in steps.items())
    return ", ".join(pairs) or "no single upgrade"


def say(text: str) -> None:
    """Tell what goes on, apart from the report."""
    print(text, file=sys.stderr, flush=True)
