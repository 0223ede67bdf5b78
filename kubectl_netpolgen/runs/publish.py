"""Everything derived, written into the bundle and shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import Path

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.derived import finding_lines, flow_lines
from kubectl_netpolgen.bundle.options import write_options
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.documents.json_text import dump_json, dump_line
from kubectl_netpolgen.documents.yaml_text import dump_documents, dump_yaml
from kubectl_netpolgen.generation.names import DEFAULT_DENY, PREFIX
from kubectl_netpolgen.generation.rollout import rollout_steps
from kubectl_netpolgen.generation.rule_evidence import find_rule_evidence
from kubectl_netpolgen.model.declarations import Obstacle
from kubectl_netpolgen.model.errors import BundleError, ExitStatus, NetpolgenError
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.output.coverage_list import coverage_item, coverage_page
from kubectl_netpolgen.output.declared_list import declared_lines
from kubectl_netpolgen.output.dot import graph_dot
from kubectl_netpolgen.output.edge_list import edge_item, edge_list
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.excess_list import excess_lines
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.graph import render
from kubectl_netpolgen.output.rule_list import rule_lines, rule_page
from kubectl_netpolgen.output.table import edges_table
from kubectl_netpolgen.runs.derive import Derived
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.semantics.policies import policy_document

_NO_FILE_NAME = re.compile(r"[^a-z0-9.-]")
# What `_policy_path` makes, with or without a namespace, which is an RFC 1123 label.
_OUR_FILE = re.compile(rf"(?:[a-z0-9-]+\.)?(?:{re.escape(PREFIX)}|{re.escape(DEFAULT_DENY)}[.-])")
# File systems end a name at 255 bytes, and the hash and the suffix need some.
_LONGEST_STEM = 230


class Format(str, Enum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True)
class Published:
    """What was written."""

    root: Path
    policies: tuple[str, ...]
    graph: tuple[str, ...]
    notes: tuple[str, ...]
    """About the pictures, which depend on this machine and so stay out of the bundle."""
    requests: tuple[str, ...] = ()
    """What other namespaces are asked for."""


def publish(derived: Derived) -> Published:
    """Write flows, edges, findings, policies and the graph; nothing as if it were fine when the proof fails.

    Raises NetpolgenError when an accepted edge is not allowed at both ends; the policies of an earlier run
    are taken away then, since they are not what this bundle says.
    """
    writer = BundleWriter(derived.recorded.root)
    writer.lines(layout.FLOWS, flow_lines(derived.flows))
    writer.lines(layout.EDGES, (dump_line(edge_item(edge)) + "\n" for edge in derived.edges))
    writer.text(layout.DECLARED, declared_lines(derived.declared))
    writer.lines(layout.EXCESS, excess_lines(derived.excess, derived.generated.shared))
    writer.text(layout.COVERAGE, dump_json(coverage_item(derived.coverage)))
    writer.text(layout.COVERAGE_PAGE, coverage_page(derived.coverage))
    write_options(writer, derived.options)
    writer.lines(layout.FINDINGS, finding_lines(derived.findings))
    dot = graph_dot(derived.edges)
    writer.text(layout.GRAPH_DOT, dot)
    _clear_policies(writer.root)
    for old in (writer.root / layout.REQUESTS).glob("*.yaml"):
        _remove(old)
    _demand_proof(derived)
    names = tuple(
        writer.relative(writer.text(_policy_path(policy, derived), dump_yaml(policy_document(policy))))
        for policy in derived.generated.policies
    )
    requests = _write_requests(derived, writer)
    _write_evidence(derived, writer)
    _write_rollout(derived, writer, names)
    picture = render(dot, writer.root)
    return Published(writer.root, names, (layout.GRAPH_DOT, *picture.files), picture.notes, requests)


def _write_evidence(derived: Derived, writer: BundleWriter) -> None:
    """Each rule of the policies with the edges, files and filters that it rests on."""
    generated = derived.generated
    rules = find_rule_evidence(generated.policies, generated.edges, derived.proof, generated.dns_rules)
    pods = {uid: f"{pod.namespace}/{pod.name}" for uid, pod in derived.timeline.pods.items()}
    writer.lines(layout.EVIDENCE, rule_lines(rules, pods))
    writer.lines(layout.EVIDENCE_PAGE, rule_page(rules, pods))


def _write_rollout(derived: Derived, writer: BundleWriter, names: tuple[str, ...]) -> None:
    """The order of application, for kustomize and for a person.

    Beside the folder of policies and not in it: `kubectl apply -f FOLDER` takes every file for a resource.
    """
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(names),
    }
    writer.text(layout.KUSTOMIZATION, dump_yaml(kustomization))
    files = list(zip(names, derived.generated.policies, strict=True))
    steps = rollout_steps(files, derived.captured, derived.timeline)
    lines = (f"{number}. {terminal_text(step)}\n" for number, step in enumerate(steps, 1))
    writer.text(layout.ROLLOUT, "# Roll-out\n\n" + "".join(lines))


def _write_requests(derived: Derived, writer: BundleWriter) -> tuple[str, ...]:
    """`requests/NAMESPACE.yaml`, one for each other namespace that ours depend on."""
    found: dict[str, list[NetworkPolicy]] = {}
    for policy in derived.generated.requests:
        found.setdefault(policy.namespace, []).append(policy)
    written = []
    for namespace, items in sorted(found.items()):
        text = dump_documents(policy_document(item) for item in items)
        written.append(writer.relative(writer.text(f"{layout.REQUESTS}/{_file_stem(namespace)}.yaml", text)))
    return tuple(written)


def _policy_path(policy: NetworkPolicy, derived: Derived) -> str:
    """`policies/NAME.yaml`; with several namespaces theirs comes first, since names repeat.

    A name that no file can have is cut or changed, and told from others by a hash.
    """
    namespaces = {
        *derived.recorded.manifest.namespaces,
        *(item.namespace for item in derived.generated.policies),
    }
    name = f"{policy.namespace}.{policy.name}" if len(namespaces) > 1 else policy.name
    return f"{layout.POLICIES}/{_file_stem(name)}.yaml"


def _file_stem(name: str) -> str:
    stem = _NO_FILE_NAME.sub("-", name)[:_LONGEST_STEM]
    if stem == name:
        return name
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{stem.rstrip('.-')}-{digest}"


def _clear_policies(root: Path) -> None:
    """Take an earlier run's policies away; what else a person keeps there stays."""
    folder = root / layout.POLICIES
    if folder.is_symlink():
        raise BundleError(
            f"{folder}: is a link", way_out="remove it; policies are written into the bundle itself"
        )
    for path in sorted(folder.glob("*.yaml")):
        if _OUR_FILE.match(path.name):
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise BundleError(f"{path}: cannot be replaced: {error.strerror}") from error


def _demand_proof(derived: Derived) -> None:
    failures = derived.proof.failures
    if not failures:
        return
    edges = {edge.id: edge for edge in derived.edges}
    lines = []
    for row in failures:
        edge = edges[row.edge]
        end = "egress" if not row.egress else "ingress"
        isolating = ", ".join(row.refused_by) or "no pod to judge"
        lines.append(
            f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}: {end} refused ({isolating})"
        )
    raise NetpolgenError(
        "no policies were written: they would break what was seen to work",
        way_out="\n".join(
            (
                *lines,
                "an existing policy may isolate a pod that was not captured; capture it too, or report this",
            )
        ),
    )


def show(
    derived: Derived, published: Published, *, format: Format, headers: bool, environment: Environment
) -> ExitStatus:
    """The product on stdout, findings and what was written on stderr; the status that follows."""
    if format is Format.JSON:
        environment.stdout.write(dump_json(edge_list(derived.edges)))
    else:
        environment.stdout.write(
            edges_table(
                derived.edges,
                width=environment.width,
                colour=environment.colour,
                terminal=environment.stdout_is_terminal,
                headers=headers,
            )
        )
    environment.stderr.write(findings_text(derived.findings, colour=environment.stderr_colour))
    for note in published.notes:
        environment.say(note)
    proven = len(derived.proof.rows)
    environment.say(f"proof: all {proven} accepted edges are allowed at both ends by the policies written")
    beyond = len(derived.excess) + len(derived.generated.shared)
    environment.say(
        f"beyond them: {beyond} pairs of ends and ports are allowed that were not seen ({layout.EXCESS})"
        if beyond
        else "beyond them: nothing between the workloads that are there"
    )
    environment.say(f"evidence of each rule: {layout.EVIDENCE_PAGE}")
    environment.say(f"coverage: {derived.coverage}; in full: {layout.COVERAGE_PAGE}")
    for line in _declared_words(derived):
        environment.say(line)
    waiting = len({item.edge.id for item in derived.generated.unresolved})
    if waiting:
        environment.say(f"{waiting} more got through and have no rule: they wait for a decision")
    environment.say(
        f"wrote {len(published.policies)} policies and {', '.join(published.graph)} to {published.root}"
    )
    if published.requests:
        environment.say(f"for those who look after other namespaces: {', '.join(published.requests)}")
    return ExitStatus.PARTIAL if derived.partial else ExitStatus.DONE


def _declared_words(derived: Derived) -> Iterator[str]:
    """How many edges manifests imply beyond what was seen, and how many of these are allowed."""
    allowed = {edge.id for edge in derived.generated.edges}
    askable = [item for item in derived.declared if item.obstacle is not Obstacle.ALWAYS_ALLOWED]
    accepted = sum(item.edge.id in allowed for item in askable)
    if accepted:
        edges = "1 edge is" if accepted == 1 else f"{accepted} edges are"
        yield f"{edges} allowed though not seen, as manifests declare and a person accepted"
    left = len(askable) - accepted
    if left:
        edges = "1 edge is declared and was" if left == 1 else f"{left} edges are declared and were"
        yield f"{edges} not seen: {layout.DECLARED}"


def say_how_to_apply(published: Published, environment: Environment) -> None:
    """The next steps after policies that somebody means to use."""
    policies = shlex.quote(str(published.root / layout.POLICIES))
    environment.say("next:")
    environment.say(f"  kubectl apply --dry-run=server -f {policies}")
    environment.say(f"  kubectl apply -f {policies}")
    environment.say(f"step by step, and back: {published.root / layout.ROLLOUT}")
