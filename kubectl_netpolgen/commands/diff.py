"""`diff`: what does one set of policies allow that another does not?"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from kubectl_netpolgen.output import difference as written
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.quantities import count_text
from kubectl_netpolgen.runs.differing import Differing, find_difference
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.sources import read_source
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.subjects import HostNetwork


class Format(str, Enum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "md"


@dataclass(frozen=True)
class Options:
    """Which two, and what of the answer."""

    before: str
    after: str
    format: Format
    headers: bool
    pods: bool
    blocks: BlocksAndPods | None
    """None for match, with a warning where it matters."""
    host_network: HostNetwork | None
    """None for pod, with a warning where it matters."""
    strict: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        before=arguments.a,
        after=arguments.b,
        format=Format(arguments.output),
        headers=not arguments.no_headers,
        pods=arguments.pods,
        blocks=BlocksAndPods(arguments.ipblock_pods) if arguments.ipblock_pods else None,
        host_network=HostNetwork(arguments.hostnetwork) if arguments.hostnetwork else None,
        strict=arguments.strict,
    )


def validate(options: Options) -> None:
    """Standard input can be read once."""
    if options.before == options.after == "-":
        raise UsageError("standard input cannot be both sides", way_out="name a file or a folder for one")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Read both, compare, say."""
    before, after = (
        read_source(word, environment=environment, strict=options.strict)
        for word in (options.before, options.after)
    )
    found = find_difference(
        before, after, per_pod=options.pods, blocks=options.blocks, host_network=options.host_network
    )
    environment.stdout.writelines(_texts(options, found))
    environment.stderr.write(findings_text(found.findings, colour=environment.stderr_colour))
    if options.format is Format.TABLE:
        environment.say(_summary(found))
    return ExitStatus.ERROR if found.changes else ExitStatus.DONE


def _texts(options: Options, found: Differing) -> Iterable[str]:
    if options.format is Format.JSON:
        return written.difference_json(found.changes, found.relation, found.missed)
    if options.format is Format.MARKDOWN:
        return [written.difference_markdown(found.changes, found.relation, found.missed)]
    return [written.difference_table(found.changes, found.missed, headers=options.headers)]


def _summary(found: Differing) -> str:
    against = f", {found.missed} of them against what was seen" if found.missed else ""
    return f"{found.relation.value}: {count_text(len(found.changes), 'pair')} changed{against}"
