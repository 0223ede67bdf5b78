"""Capture files to rows on stdout: read, name, filter, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError, UsageError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.reading_bar import ReadingBar
from kubectl_netpolgen.packets.reading import UnreadableCapture
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.runs.capture_rows import Plan, Remarks
from kubectl_netpolgen.runs.group_rows import Failure, read_groups
from kubectl_netpolgen.runs.inputs import Input, Inputs
from kubectl_netpolgen.runs.late_names import LateNames
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.row_output import RowOutput


class Tshark(str, Enum):
    """What tshark may be started for."""

    AUTO = "auto"
    """Names that only a full dissector reads, in few selected packets."""
    ALWAYS = "always"
    """Whole files of link types that we do not read, too."""
    NEVER = "never"


class Request(NamedTuple):
    """What to read and how to tell it."""

    inputs: Inputs
    plan: Plan
    tshark: Tshark = Tshark.AUTO
    verify: bool = False
    workers: int = 1
    headers: bool = True


@dataclass
class _Outcome:
    """What came of all files."""

    findings: list[Finding]
    failures: list[Failure]
    captures: int = 0
    differs: bool = False


def show_flows(request: Request, environment: Environment) -> ExitStatus:
    """Rows on stdout, findings on stderr.

    NotACapture or UnreadableCapture when the only input is none; NetpolgenError when none of several is.
    """
    program = find_tshark(environment.variables)
    plan = request.plan._replace(
        dissects=request.tshark is not Tshark.NEVER,
        rare_links=program if request.tshark is Tshark.ALWAYS else None,
        verifier=program if request.verify else None,
    )
    _check_programs(request, program, environment)
    outcome = _Outcome(list(request.inputs.findings), [])
    names = LateNames(plan.kind)
    output = RowOutput(environment.stdout, plan, headers=request.headers, width=environment.width)
    try:
        with _bar(request, environment) as bar:
            _read_all(request, plan, outcome, names, output, bar, environment)
        if not outcome.captures:
            if len(outcome.failures) > 1:
                _tell(outcome, environment)
            raise _nothing_read(outcome)
        if plan.dissects:
            outcome.findings.extend(names.ask(program))
        output.settle(names.complete)
    finally:
        output.close()
    environment.stdout.flush()
    _tell(outcome, environment)
    if not output.rows and plan.filter is not None:
        environment.say(f"no {plan.kind.plural} are what the filter asks for")
    return ExitStatus.ERROR if outcome.differs else ExitStatus.DONE


def _read_all(
    request: Request,
    plan: Plan,
    outcome: _Outcome,
    names: LateNames,
    output: RowOutput,
    bar: ReadingBar,
    environment: Environment,
) -> None:
    def begin(item: Input) -> Callable[[int, int | None], None]:
        bar.file(item.label, item.size)
        return bar.at

    stdin = _binary(environment)
    for piece in read_groups(request.inputs.groups, plan, workers=request.workers, stdin=stdin, begin=begin):
        if isinstance(piece, Failure):
            outcome.failures.append(piece)
        elif isinstance(piece, Remarks):
            outcome.findings.extend(piece.findings)
            outcome.differs |= piece.differs
            outcome.captures += piece.captures
            names.absorb(piece.frames)
        else:
            if environment.stdout_is_terminal:
                # a bar between rows would tear them apart
                bar.stop()
            output.take(piece)


def _check_programs(request: Request, program: Path | None, environment: Environment) -> None:
    if program is None and (request.verify or request.tshark is Tshark.ALWAYS):
        flag = "--verify" if request.verify else "--tshark"
        raise NetpolgenError(
            f"{flag} needs tshark, which is not on PATH",
            way_out="install tshark (the command-line part of Wireshark)",
        )
    if any(item.path is None for item in request.inputs.files) and environment.stdin_is_terminal:
        raise UsageError("standard input is a terminal", way_out="pipe a capture into it, or name a file")


def _tell(outcome: _Outcome, environment: Environment) -> None:
    findings = (*outcome.findings, *map(_foreign, outcome.failures))
    environment.stderr.write(findings_text(findings, colour=environment.stderr_colour))


def _nothing_read(outcome: _Outcome) -> NetpolgenError:
    """Why there is nothing to show; the error of the only input is told as it is."""
    if len(outcome.failures) == 1:
        return outcome.failures[0].error
    if not outcome.failures:
        return NetpolgenError("there is no capture file", way_out="name a file that tcpdump -w wrote")
    return NetpolgenError(
        f"none of {len(outcome.failures)} files is a capture", way_out="name a file that tcpdump -w wrote"
    )


def _foreign(failure: Failure) -> Finding:
    """An input that is no capture, among others that are."""
    code = "capture-unreadable" if isinstance(failure.error, UnreadableCapture) else "not-a-capture"
    return Finding(code, Severity.WARNING, failure.input.label, failure.error.message, failure.error.way_out)


def _bar(request: Request, environment: Environment) -> ReadingBar:
    return ReadingBar(
        environment.stderr,
        total=sum(item.size for item in request.inputs.files),
        shown=environment.stderr_is_terminal,
        ticks=environment.monotonic,
        colour=environment.stderr_colour,
    )


def _binary(environment: Environment) -> BinaryIO | None:
    """The bytes below standard input, where it has any."""
    return getattr(environment.stdin, "buffer", None)
