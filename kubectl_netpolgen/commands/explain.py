"""`explain`: why is a connection allowed or denied, and what would turn the answer?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_json
from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from kubectl_netpolgen.model.manifests import Origin
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.rows import API_VERSION
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.verdicts import denial_text, verdict_item
from kubectl_netpolgen.runs.explaining import Explained, explain, parse_port, ports_text
from kubectl_netpolgen.runs.manifests import read_manifests
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.subjects import HostNetwork
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, is_tier

Origins = Mapping[ObjectKey, Origin]


class Format(str, Enum):
    """What goes to stdout."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Options:
    """Which policies, and which connection."""

    paths: tuple[str, ...]
    source: str
    destination: str
    port: str
    """Empty for all."""
    namespace: str
    """Of ends that are named without one."""
    format: Format
    blocks: BlocksAndPods | None
    host_network: HostNetwork | None
    strict: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        paths=tuple(arguments.filename or ()),
        source=arguments.src,
        destination=arguments.dst,
        port=arguments.port or "",
        namespace=arguments.namespace or "default",
        format=Format(arguments.output),
        blocks=BlocksAndPods(arguments.ipblock_pods) if arguments.ipblock_pods else None,
        host_network=HostNetwork(arguments.hostnetwork) if arguments.hostnetwork else None,
        strict=arguments.strict,
    )


def validate(options: Options) -> None:
    """Refuse to answer about nothing."""
    if not options.paths:
        raise UsageError("no manifests are named", way_out="-f FILE, -f FOLDER or -f - for standard input")
    if options.port:
        parse_port(options.port)


def run(options: Options, environment: Environment) -> ExitStatus:
    """Read, compile, say."""
    manifests = read_manifests(options.paths, environment=environment, strict=options.strict)
    judge = Judge(manifests, blocks=options.blocks, host_network=options.host_network)
    source, destination = (
        judge.ends.spelled(text, namespace=options.namespace)
        for text in (options.source, options.destination)
    )
    names = (source.pod or options.source, destination.pod or options.destination)
    port = parse_port(options.port) if options.port else None
    found = list(explain(judge, source, destination, names, port))
    if options.format is Format.JSON:
        environment.stdout.write(dump_json(_document(found, one=port is not None)))
    else:
        text = "".join(line + "\n" for item in found for line in _lines(item, names, manifests.origins))
        environment.stdout.write(text)
    environment.stderr.write(findings_text(manifests.findings, colour=environment.stderr_colour))
    allowed = all(item.verdict.decision is Decision.ALLOWED for item in found)
    return ExitStatus.DONE if allowed else ExitStatus.ERROR


def _document(found: Sequence[Explained], *, one: bool) -> dict[str, Any]:
    items = [
        {
            "id": str(number),
            **verdict_item(item.verdict),
            "protocol": item.protocol.value,
            "ports": [list(ports) for ports in item.ports],
            "changes": list(item.changes),
        }
        for number, item in enumerate(found, 1)
    ]
    return items[0] if one else {"apiVersion": API_VERSION, "kind": "VerdictList", "items": items}


def _lines(item: Explained, names: tuple[str, str], origins: Origins) -> Iterator[str]:
    verdict = item.verdict
    ports = "all ports" if item.ports == ((1, 65535),) else ports_text(item.ports)
    ends = " -> ".join(map(terminal_text, names))
    yield f"{verdict.decision.value.upper()}   {ends}   {item.protocol.value} {ports}"
    for direction, answer, name in (
        ("egress", verdict.egress, names[0]),
        ("ingress", verdict.ingress, names[1]),
    ):
        if answer is not None:
            because = terminal_text(_because(answer, name, origins))
            yield f"  {direction:<8} {answer.decision.value:<8} {because}"
            for miss in answer.nearest:
                met, other = ("peer", "port") if miss.peer else ("port", "peer")
                rule = _policy(miss.policy, origins)
                yield terminal_text(f"    {rule} rule {miss.rule}: the {met} matches, the {other} does not")
    if verdict.reason:
        yield f"  because {terminal_text(verdict.reason)}"
    if item.changes:
        together = " and " if verdict.decision is Decision.DENIED else ", or "
        yield f"  smallest change: {terminal_text(together.join(item.changes))}"


def _because(answer: EndAnswer, name: str, origins: Origins) -> str:
    if answer.default:
        return f"no policy selects {name}: the default"
    if answer.decision is Decision.DENIED:
        return denial_text(answer, lambda policy: _policy(policy, origins))
    return ", ".join(f"{_policy(policy, origins)} rule {rule}" for policy, rule in answer.allowed_by)


def _policy(name: str, origins: Origins) -> str:
    """With the file and the line where it stands."""
    first, _, own = name.partition("/")
    key = ObjectKey(first, "", own) if is_tier(name) else ObjectKey("NetworkPolicy", first, own)
    origin = origins.get(key)
    return f"{name} ({origin.file}:{origin.line})" if origin is not None else name
