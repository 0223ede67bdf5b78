"""`verify`: do these policies allow these flows?"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice

from kubectl_netpolgen.model.errors import ExitStatus, InvalidManifest, UsageError
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.verdicts import LIST_BEGIN, LIST_END, verdict_cells, verdict_rows
from kubectl_netpolgen.packets.collection import without_collection
from kubectl_netpolgen.runs.manifests import read_manifests
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.verifying import Tally, Verifying
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.subjects import HostNetwork

_CHUNK = 1024
"""Items that are written at once; of a table, rows that share their widths."""


class Format(str, Enum):
    """What goes to stdout."""

    JSON = "json"
    LINES = "jsonl"
    TABLE = "table"


@dataclass(frozen=True)
class Options:
    """Which policies, which flows, and how much of the answer."""

    paths: tuple[str, ...]
    flows: str
    format: Format
    headers: bool
    brief: bool
    blocks: BlocksAndPods | None
    """None leaves open what an ipBlock means to pods, and answers may depend on it."""
    host_network: HostNetwork | None
    strict: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        paths=tuple(arguments.filename or ()),
        flows=arguments.flows or "",
        format=Format(arguments.output),
        headers=not arguments.no_headers,
        brief=arguments.brief,
        blocks=BlocksAndPods(arguments.ipblock_pods) if arguments.ipblock_pods else None,
        host_network=HostNetwork(arguments.hostnetwork) if arguments.hostnetwork else None,
        strict=arguments.strict,
    )


def validate(options: Options) -> None:
    """Refuse to answer about nothing."""
    if not options.paths:
        raise UsageError("no manifests are named", way_out="-f FILE, -f FOLDER or -f - for standard input")
    if not options.flows:
        raise UsageError("no flows are named", way_out="--flows FILE, or --flows - for standard input")
    if options.flows == "-" and "-" in options.paths:
        raise UsageError("standard input cannot be both", way_out="name a file with -f or with --flows")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Read, compile, judge line by line."""
    with without_collection():
        return _answer(options, environment)


def _answer(options: Options, environment: Environment) -> ExitStatus:
    manifests = read_manifests(options.paths, environment=environment, strict=options.strict)
    judge = Judge(manifests, blocks=options.blocks, host_network=options.host_network, brief=options.brief)
    verifying = Verifying(judge, where=options.flows, brief=options.brief)
    with _lines(options.flows, environment) as lines:
        for text in _texts(options, verifying, lines):
            environment.stdout.write(text)
    environment.stderr.write(findings_text(manifests.findings, colour=environment.stderr_colour))
    environment.say(_summary(verifying.tally))
    return ExitStatus.DONE if verifying.tally.all_allowed else ExitStatus.ERROR


def _texts(options: Options, verifying: Verifying, lines: Iterable[str]) -> Iterator[str]:
    if options.format is Format.TABLE:
        headers, judged = options.headers, verifying.verdicts(lines)
        while some := list(islice(judged, _CHUNK)):
            rows = [verdict_cells(item.name, item.verdict, brief=options.brief) for item in some]
            yield verdict_rows(rows, brief=options.brief, headers=headers)
            headers = False
        return
    items = verifying.texts(lines)
    between = "\n" if options.format is Format.LINES else ",\n"
    # the first item is judged before anything is said: a file that holds no flows has no answer
    first = list(islice(items, 1))
    if options.format is Format.JSON:
        yield LIST_BEGIN + "\n" * bool(first)
    yield from first
    while chunk := list(islice(items, _CHUNK)):
        yield between.join(chain([""], chunk))
    yield LIST_END if options.format is Format.JSON else "\n" * bool(first)


@contextmanager
def _lines(name: str, environment: Environment) -> Iterator[Iterable[str]]:
    if name == "-":
        yield environment.stdin
        return
    try:
        with (environment.directory / name).open(encoding="utf-8-sig") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}", way_out="check its path") from error
    except UnicodeDecodeError as error:
        raise InvalidManifest(f"{name}: is not UTF-8: {error.reason}", way_out="save it as UTF-8") from error


def _summary(tally: Tally) -> str:
    total = sum(tally.count.values())
    parts = [f"{number} {decision.value}" for decision, number in tally.count.items() if number]
    return f"{total} flows: {', '.join(parts)}" if parts else "no flows"
