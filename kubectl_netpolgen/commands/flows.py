"""`flows`: the flows, conversations or names of capture files and bundles, without a cluster."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.reading import Engine, ReadingOptions
from kubectl_netpolgen.runs.capture_rows import Format, Plan
from kubectl_netpolgen.runs.flows import Request, Tshark, show_flows
from kubectl_netpolgen.runs.inputs import find_inputs
from kubectl_netpolgen.runs.ports import Environment

if TYPE_CHECKING:
    from kubectl_netpolgen.analysis.expressions import Expression

WORKERS_FROM = 16 << 20
"""Bytes of all input from which several processes pay for their start."""
MOST_WORKERS = 64


class Options(NamedTuple):
    """What to read and how to show it."""

    operands: tuple[str, ...]
    directory: Path
    plan: Plan
    tshark: Tshark
    verify: bool
    workers: int | None
    """None for as many as the size of the input is worth."""
    headers: bool
    both_kinds: bool
    """Conversations and names were both asked for."""


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line; UsageError for a filter that makes no sense."""
    kind = RowKind.FLOWS
    if arguments.conversations:
        kind = RowKind.CONVERSATIONS
    if arguments.names:
        kind = RowKind.NAMES
    return Options(
        operands=tuple(arguments.input),
        directory=environment.directory,
        plan=Plan(
            kind=kind,
            format=Format(arguments.output),
            filter=_parse(arguments.filter, kind) if arguments.filter is not None else None,
            options=ReadingOptions(inner=arguments.inner, engine=Engine(arguments.engine)),
            terminal=environment.stdout_is_terminal,
        ),
        tshark=Tshark(arguments.tshark),
        verify=arguments.verify,
        workers=arguments.workers,
        headers=not arguments.no_headers,
        both_kinds=arguments.conversations and arguments.names,
    )


def validate(options: Options) -> None:
    """Refuse what contradicts itself before anything is read."""
    if options.both_kinds:
        raise UsageError("--conversations and --names are two kinds of rows", way_out="leave one of them out")
    if options.workers is not None and not 1 <= options.workers <= MOST_WORKERS:
        raise UsageError(f"--workers {options.workers} is not between 1 and {MOST_WORKERS}")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Read, and show."""
    inputs = find_inputs(options.operands, options.directory)
    workers = options.workers
    if workers is None:
        large = sum(item.size for item in inputs.files) >= WORKERS_FROM
        workers = min(os.cpu_count() or 1, len(inputs.groups)) if large else 1
    # one process for each of several files, or two for one: never more than were asked for
    apart = workers <= 1 and options.workers != 1
    plan = options.plan._replace(options=options.plan.options._replace(apart=apart))
    request = Request(inputs, plan, options.tshark, options.verify, workers, options.headers)
    return show_flows(request, environment)


def _parse(text: str, kind: RowKind) -> Expression:
    # a language that few runs speak
    from kubectl_netpolgen.analysis.filter_parser import FilterError, parse_filter

    try:
        return parse_filter(text, kind)
    except FilterError as error:
        # the column is shown under the text, so the text must keep its width
        shown = "".join(character if character.isprintable() else "?" for character in text)
        marks = " " * error.start + "^" * max(error.end - error.start, 1)
        lines = [shown, marks, *([error.hint] if error.hint else [])]
        raise UsageError(
            f"--filter, column {error.start + 1}: {error.message}", way_out="\n".join(lines)
        ) from error
