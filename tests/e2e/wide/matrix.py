"""Every attempt that is no edge: each pod at each port of each other pod, and at the outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from tests.e2e.boutique.stage import REACH, Actor, Stage, in_parallel
from tests.e2e.boutique.workloads import UNDECLARED_PORT, Workload
from tests.e2e.wide.edges import CALLED, OUTSIDE
from tests.e2e.wide.scene import Scene
from tests.e2e.wide.workloads import ADMIN
from tests.harness import layout
from tests.harness.processes import inside, run

OTHER_OUTSIDE = "203.0.113.20"
# Opened to every address, since nobody knows who comes through a node port or with the control plane.
OPEN_TO_ALL = frozenset({("web", 8080), ("admission", 8443)})


@dataclass(frozen=True, order=True)
class Attempt:
    """One workload's pod at one port of another's, or at an address outside."""

    client: str
    server: str
    port: int


Outcomes = dict[tuple[Attempt, str, str], str]
"""What came of each attempt, by the pod that made it and the address that it went to."""


def permitted() -> set[Attempt]:
    """Return the application's own edges by the workloads' bare names, which are all different."""
    own = {Attempt(_bare(edge.client), _bare(edge.server), edge.port) for edge in CALLED}
    # On the list of edges it is its node.
    return own | {Attempt("hostagent", "collector", 4317)}


def _bare(end: str) -> str:
    return end.rpartition("/")[2]


def forbidden(captured: Iterable[Workload], others: Iterable[Workload]) -> set[Attempt]:
    """Return every attempt that must fail under the policies, from or to a captured workload.

    What happens on a pod's own node, or inside of one workload, no policy can or need forbid.
    """
    ours = [workload for workload in captured if not workload.rounds]
    theirs = list(others)
    subject = {workload.name for workload in ours if not workload.host_network}
    pods = {
        Attempt(client.name, server.name, port)
        for client in (*ours, *theirs)
        for server in (*ours, *theirs)
        for port in _ports(server)
        if client.name != server.name and subject & {client.name, server.name}
    }
    outside = {
        Attempt(name, address, port)
        for name in subject
        for address, port in ((OUTSIDE, 443), (OUTSIDE, 80), (OTHER_OUTSIDE, 443))
    }
    allowed = permitted()
    return {
        attempt
        for attempt in pods | outside
        if attempt not in allowed
        and not _same_node(attempt, {workload.name: workload for workload in (*ours, *theirs)})
        # a side that no policy isolates lets in, and lets out, whatever comes
        and not (attempt.client not in subject and (attempt.server, attempt.port) in OPEN_TO_ALL)
    }


def _ports(workload: Workload) -> list[int]:
    own = [listen.port for listen in workload.listens if listen.protocol != "udp"]
    return [*own, UNDECLARED_PORT]


def _same_node(attempt: Attempt, known: dict[str, Workload]) -> bool:
    """Whether one end is a node that the other runs on, or may run on: a pod always reaches its own node."""
    ends = [known[name] for name in (attempt.client, attempt.server) if name in known]
    hosts = {end.node for end in ends if end.host_network}
    return bool(hosts) and any(not end.node or end.node in hosts for end in ends if not end.host_network)


def try_from_outside(scene: Scene) -> Outcomes:
    """Try the second node port of the page at both nodes from outside, as nobody did in a capture."""
    port = scene.node_port(ADMIN)
    targets = [(node.address, port, 4) for node in layout.nodes(2)]
    command = inside(layout.WORLD, sys.executable, str(REACH), json.dumps(targets))
    said = json.loads(run(*command).stdout)
    keys = [(Attempt("outside", "web", UNDECLARED_PORT), "outside", address) for address, *_ in targets]
    return dict(zip(keys, said, strict=True))


def try_all(attempts: Iterable[Attempt], scene: Scene) -> Outcomes:
    """Try each attempt from and to every pod of its ends, over both families, one process a pod."""
    actors = scene.actors()
    addresses: dict[str, list[str]] = {}
    for _, actor in actors:
        addresses.setdefault(actor.workload, []).extend(actor.addresses.values())
    wanted: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts):
        wanted.setdefault(attempt.client, []).append(attempt)

    def from_pod(caller: tuple[Stage, Actor]) -> Outcomes:
        stage, actor = caller
        asked = [
            (attempt, address)
            for attempt in wanted.get(actor.workload, ())
            for address in addresses.get(attempt.server, [attempt.server])
        ]
        targets = [(address, attempt.port, 6 if ":" in address else 4) for attempt, address in asked]
        said = stage.reach(actor.pod, targets)
        return {
            (attempt, actor.pod, address): outcome
            for (attempt, address), outcome in zip(asked, said, strict=True)
        }

    return {key: said for found in in_parallel(from_pod, actors) for key, said in found.items()}
