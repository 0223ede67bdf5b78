"""`connectivity`: everything that a set of policies allows, from manifests alone."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from kubectl_netpolgen.output import connectivity as written
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.runs.connectivity import find_connectivity
from kubectl_netpolgen.runs.manifests import read_manifests
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.connectivity import Connection
from kubectl_netpolgen.semantics.subjects import HostNetwork


class Format(str, Enum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "md"
    DOT = "dot"


@dataclass(frozen=True)
class Options:
    """Which manifests, and what of the answer."""

    paths: tuple[str, ...]
    format: Format
    headers: bool
    pods: bool
    focus: tuple[str, ...]
    blocks: BlocksAndPods | None
    """None for match, with a warning where ignore differs."""
    host_network: HostNetwork | None
    """None for pod, with a warning where node differs."""
    strict: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        paths=tuple(arguments.filename or ()),
        format=Format(arguments.output),
        headers=not arguments.no_headers,
        pods=arguments.pods,
        focus=tuple(arguments.focus or ()),
        blocks=BlocksAndPods(arguments.ipblock_pods) if arguments.ipblock_pods else None,
        host_network=HostNetwork(arguments.hostnetwork) if arguments.hostnetwork else None,
        strict=arguments.strict,
    )


def validate(options: Options) -> None:
    """Refuse to answer about nothing."""
    if not options.paths:
        raise UsageError("no manifests are named", way_out="-f FILE, -f FOLDER or -f - for standard input")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Read, compile, answer."""
    manifests = read_manifests(options.paths, environment=environment, strict=options.strict)
    found = find_connectivity(
        manifests,
        per_pod=options.pods,
        blocks=options.blocks,
        host_network=options.host_network,
        focus=frozenset(options.focus),
    )
    environment.stdout.writelines(_texts(options, found.connections))
    findings = (*manifests.findings, *found.findings)
    environment.stderr.write(findings_text(findings, colour=environment.stderr_colour))
    return ExitStatus.DONE


def _texts(options: Options, connections: Sequence[Connection]) -> Iterable[str]:
    if options.format is Format.JSON:
        return written.connectivity_json(connections)
    if options.format is Format.CSV:
        return [written.connectivity_csv(connections)]
    if options.format is Format.MARKDOWN:
        return [written.connectivity_markdown(connections)]
    if options.format is Format.DOT:
        return [written.connectivity_dot(connections)]
    return [written.connectivity_table(connections, headers=options.headers)]
