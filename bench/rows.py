"""What is measured: against whom, on which capture, how often, and what is to be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import contenders
from bench.captures import CannotMake, Store
from bench.contenders import Command, Libraries

SLOW_ROUNDS = 3
"""The most rounds for contenders that take half a minute."""
FULL, QUICK = "full", "quick"


@dataclass(frozen=True)
class Goal:
    """What a ratio is to be; 0 where nobody asked for anything."""

    least: float = 0
    aim: float = 0
    seconds: float = 0
    """Our time has a bound too."""


NO_GOAL = Goal()


@dataclass(frozen=True)
class Comparison:
    """Ours and theirs on one capture."""

    work: str
    ours: tuple[str, ...]
    """What follows `flows`."""
    theirs: Command
    capture: Path
    goal: Goal = NO_GOAL
    distance: bool = False
    """The ratio is ours over theirs, and the goal an upper bound."""
    slow: bool = False
    library: str = ""
    """The Python library that must be installed for it."""


@dataclass(frozen=True)
class Variant:
    """One more way to read the same packets."""

    work: str
    ours: tuple[str, ...]
    capture: Path
    missing: str = ""
    """Why it cannot be measured here."""


@dataclass(frozen=True)
class Growth:
    """One size of many."""

    work: str
    packets: int
    capture: Path
    ours: tuple[str, ...]
    rounds: int


def number(packets: int) -> str:
    """`1 M`, `100 k`."""
    if packets >= 1_000_000:
        return f"{packets // 1_000_000} M"
    return f"{packets // 1000} k" if packets >= 10_000 else f"{packets:,}"


def comparisons(store: Store, libraries: Libraries, extent: str) -> Iterator[Comparison]:
    """The table of the goals, and what has none; a goal stands only where its sizes are measured."""
    full = extent == FULL
    large = 1_000_000 if full else 100_000
    path, small, short = store.mix(large), store.mix(100_000 if full else 5000), store.mix(5000)
    files, each = (100 if full else 20), 2000
    split = store.series(files, each)
    conversations = contenders.tshark_conversations(path)

    def goal(least: float, aim: float, seconds: float = 0) -> Goal:
        return Goal(least, aim, seconds) if full else NO_GOAL

    many, few, whole = number(large), number(100_000 if full else 5000), (str(path),)
    yield Comparison(f"{many} packets vs tshark conv", whole, conversations, path, goal(7, 20))
    yield Comparison(
        f"{many} packets vs the original command",
        whole,
        contenders.original(path),
        path,
        goal(18, 50),
        slow=True,
    )
    yield Comparison(
        f"{few} packets vs pyshark json",
        (str(small),),
        libraries.reader("pyshark", small),
        small,
        goal(80, 200),
        slow=True,
        library="pyshark",
    )
    yield Comparison(
        f"{files} files x {each:,} vs the original command per file",
        (str(split),),
        contenders.original_for_each(split),
        split,
        goal(50, 100, seconds=0.8),
        slow=True,
    )
    yield Comparison(
        "5,000 packets vs tshark's start alone",
        (str(short),),
        contenders.tshark_start(store.empty()),
        short,
        Goal(1, 2),
    )
    yield Comparison(
        f"{many} packets, distance to the tcpdump pass",
        whole,
        contenders.tcpdump(path),
        path,
        goal(8, 3),
        distance=True,
    )
    yield Comparison(
        f"{many} packets, standard library, vs tshark conv",
        (*whole, "--engine", "exact"),
        conversations,
        path,
        goal(3, 5),
    )
    fast = (*whole, "--engine", "fast")
    yield Comparison(f"{many} packets, numpy, vs tshark conv", fast, conversations, path)
    for library in ("dpkt", "nfstream"):
        reader = libraries.reader(library, path)
        yield Comparison(f"{many} packets vs {library}", whole, reader, path, slow=True, library=library)


def variants(store: Store, extent: str) -> Iterator[Variant]:
    """The same packets in other clothes, other rows, other engines, more processes."""
    large = 1_000_000 if extent == FULL else 100_000
    plain = store.mix(large)
    yield Variant("plain pcap", (), plain)
    yield Variant("--engine exact", ("--engine", "exact"), plain)
    yield Variant("--engine fast", ("--engine", "fast"), plain)
    yield Variant("--conversations", ("--conversations",), plain)
    yield Variant("--names", ("--names",), plain)
    yield Variant("pcapng", (), store.mix(large, pcapng=True))
    yield Variant("SLL2", (), store.mix(large, link="sll2"))
    yield Variant("raw IP", (), store.mix(large, link="raw"))
    for how, name in (("gz", "gzip"), ("zst", "Zstandard")):
        try:
            yield Variant(name, (), store.compressed(plain, how))
        except CannotMake as why:
            yield Variant(name, (), plain, str(why))
    files = store.series(20, large // 20)
    for workers in ("1", "2"):
        yield Variant(f"20 files x {large // 20:,}, --workers {workers}", ("--workers", workers), files)


def growth(store: Store, extent: str) -> Iterator[Growth]:
    """The same mix in sizes a thousand times apart, and one-way tuples without end."""
    sizes = (10_000, 100_000, 1_000_000, 5_000_000, 10_000_000) if extent == FULL else (10_000, 100_000)
    for packets in sizes:
        rounds = SLOW_ROUNDS if packets > 1_000_000 else 5
        yield Growth(f"{number(packets)} packets", packets, store.mix(packets), (), rounds)
    scan = 5_000_000 if extent == FULL else 200_000
    for kind, words in (("portscan", "one-way, a row each"), ("flood", "one-way, one service")):
        path = store.one_way(kind, scan)
        yield Growth(f"{number(scan)} {words}", scan, path, (), 1)
        yield Growth(f"{number(scan)} {words}, --conversations", scan, path, ("--conversations",), 1)
