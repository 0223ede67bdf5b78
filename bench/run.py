"""Measure and print: `python -m bench.run [--markdown]`.

Whole processes from start to exit, on files that memory holds. Only ratios of one run mean something, because
a machine has other work too: each of ours is paired with one of theirs that ran just before or after.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import split

from bench import analysis, contenders, rows, semantics
from bench.captures import Store, size, warm
from bench.contenders import Libraries
from bench.measuring import (
    CommandFailed,
    Measurement,
    Pairs,
    Spread,
    interleave,
    peak,
    repeat,
    seconds,
)
from bench.rows import SLOW_ROUNDS, Comparison, Growth, Variant
from bench.table import Table, as_markdown, as_text, figure, spread

MEMORY_LEAST, MEMORY_AIM = 150, 100
"""Millions of bytes, at any size."""
PARTS = COMPARISONS, VARIANTS, GROWTH, ANALYSIS, SEMANTICS = (
    *("comparisons", "variants", "growth"),
    *("analysis", "semantics"),
)


def say(words: str) -> None:
    """Tell the terminal what is being done."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def verdict(item: Comparison, ratio: float, ours: float) -> str:
    """Whether the goal is reached, by the medians."""
    goal = item.goal
    if not goal.least:
        return ""
    if goal.seconds and ours > goal.seconds:
        return "no"

    def reached(bound: float) -> bool:
        return ratio <= bound if item.distance else ratio >= bound

    return "aim" if reached(goal.aim) else "least" if reached(goal.least) else "no"


def bounds(item: Comparison) -> tuple[str, str]:
    """`at least` and `aim` as text."""
    goal = item.goal
    if not goal.least:
        return "", ""
    under = f", < {goal.seconds:g} s" if goal.seconds else ""
    sign = "<= " if item.distance else ""
    return f"{sign}{goal.least:g}x{under}", f"{sign}{goal.aim:g}x"


def compared(item: Comparison, pairs: Pairs) -> list[str]:
    """The row of a comparison."""
    ratio = pairs.ratio
    if item.distance:
        ratio = Spread(tuple(1 / value for value in ratio.values))
    ours, theirs = seconds(pairs.ours), seconds(pairs.theirs)
    least, aim = bounds(item)
    reached = verdict(item, ratio.median, ours.median)
    numbers = [spread(ratio), least, aim, reached, figure(ours.median), figure(theirs.median)]
    return [item.work, *numbers, figure(peak(pairs.ours)), figure(peak(pairs.theirs)), str(len(pairs.ours))]


class Bench:
    """One run over all tables."""

    def __init__(self, program: list[str], libraries: Libraries, rounds: int) -> None:
        self.program, self.libraries, self.rounds = program, libraries, rounds

    def command(self, *words: str) -> list[str]:
        """Our command."""
        return [*self.program, "flows", *words, "-o", "jsonl"]

    def comparisons(self, items: Iterable[Comparison]) -> Table:
        """Ours against others."""
        header = ["work", "ratio min / median / max", "at least", "aim", "reached", "our s", "their s"]
        header += ["our peak MB", "their peak MB", "rounds"]
        lines = []
        for item in items:
            say(item.work)
            absent = self.libraries.absent.get(item.library)
            if absent:
                lines.append([item.work, f"not installed: {absent}", *[""] * (len(header) - 2)])
                continue
            warm(item.capture)
            rounds = min(self.rounds, SLOW_ROUNDS) if item.slow else self.rounds
            try:
                lines.append(compared(item, interleave(self.command(*item.ours), item.theirs, rounds)))
            except CommandFailed as why:
                lines.append([item.work, f"failed: {why}", *[""] * (len(header) - 2)])
        note = f"At most {SLOW_ROUNDS} rounds where theirs is slow."
        return Table("Ours and theirs", header, lines, [note])

    def variants(self, items: Sequence[Variant]) -> Table:
        """Ours in other ways, each paired with the first, the plain way."""
        header = ["reading", "s min / median / max", "times plain", "peak MB", "file MB", "rounds"]
        lines = []
        plain = self.command(str(items[0].capture))
        for item in items:
            say(item.work)
            lines.append(self._variant(item, plain))
        return Table("Other inputs, rows and engines", header, lines)

    def _variant(self, item: Variant, plain: list[str]) -> list[str]:
        if item.missing:
            return [item.work, f"not run: {item.missing}", "", "", "", ""]
        warm(item.capture)
        try:
            pairs = interleave(plain, self.command(str(item.capture), *item.ours), self.rounds)
        except CommandFailed as why:
            return [item.work, f"failed: {why}", "", "", "", ""]
        numbers = [spread(seconds(pairs.theirs)), figure(pairs.ratio.median), figure(peak(pairs.theirs))]
        return [item.work, *numbers, figure(size(item.capture) / 1e6), str(self.rounds)]

    def growth(self, items: Iterable[Growth]) -> Table:
        """Time and memory by size."""
        header = ["input", "s min / median / max", "s per million", "peak MB", "reached", "file MB", "rounds"]
        lines = []
        for item in items:
            say(item.work)
            warm(item.capture)
            rounds = min(item.rounds, self.rounds)
            try:
                runs = repeat(self.command(str(item.capture), *item.ours), rounds)
            except CommandFailed as why:
                lines.append([item.work, f"failed: {why}", *[""] * (len(header) - 2)])
                continue
            lines.append(grown(item, runs))
        note = f"Peak memory, with 100 k live 5-tuples: at most {MEMORY_LEAST} MB, better {MEMORY_AIM} MB."
        return Table("Growth", header, lines, [note])


def grown(item: Growth, runs: tuple[Measurement, ...]) -> list[str]:
    """The row of a size."""
    took = seconds(runs)
    held = peak(runs)
    reached = "aim" if held <= MEMORY_AIM else "least" if held <= MEMORY_LEAST else "no"
    numbers = [spread(took), figure(took.median / item.packets * 1e6), figure(held), reached]
    return [item.work, *numbers, figure(size(item.capture) / 1e6), str(len(runs))]


def machine() -> str:
    """Where this was measured, in one line."""
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} processors, Python {platform.python_version()}"


def options(arguments: list[str]) -> argparse.Namespace:
    """What the command line and the environment say."""
    variables = os.environ
    beside = Path(sys.executable).with_name("kubectl-netpolgen")
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure and print one table.")
    parser.add_argument("--program", type=split, default=[str(beside)], help="our command, without `flows`")
    parser.add_argument("--directory", type=Path, default=Path(variables.get("BENCH_DIR") or "build/bench"))
    parser.add_argument("--libraries", type=Path, default=Path("build/bench-venv"))
    parser.add_argument("--rounds", type=int, default=int(variables.get("ROUNDS") or 5))
    extents = (rows.FULL, rows.QUICK)
    parser.add_argument("--extent", choices=extents, default=variables.get("BENCH") or rows.FULL)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--markdown", action="store_true", help="as in bench/README.md")
    return parser.parse_args(arguments)


def tables(bench: Bench, store: Store, extent: str, only: Sequence[str]) -> Iterator[Table]:
    """The tables asked for, each made when it is its turn."""
    if COMPARISONS in only:
        bench.libraries.install()
        yield bench.comparisons(rows.comparisons(store, bench.libraries, extent))
    if VARIANTS in only:
        yield bench.variants(list(rows.variants(store, extent)))
    if GROWTH in only:
        yield bench.growth(rows.growth(store, extent))
    if ANALYSIS in only:
        yield analysis.table(bench.rounds, say, quick=extent == rows.QUICK)
    if SEMANTICS in only:
        yield semantics.table(bench.rounds, say, quick=extent == rows.QUICK)


def main(arguments: list[str]) -> int:
    """Measure what was asked for, and write a table when it is ready."""
    chosen = options(arguments)
    bench = Bench(chosen.program, Libraries(chosen.libraries), chosen.rounds)
    store = Store(chosen.directory)
    render = as_markdown if chosen.markdown else as_text
    sys.stdout.write(f"{machine()}; against {', '.join(contenders.versions())}\n")
    for table in tables(bench, store, chosen.extent, chosen.only or PARTS):
        sys.stdout.write("\n" + render(table))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
