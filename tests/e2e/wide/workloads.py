"""The workloads of the wide application: a page and its helpers here, their data there, and a neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.e2e.boutique.player import Call, Listen
from tests.e2e.boutique.workloads import UNDECLARED_PORT, Door, Workload
from tests.e2e.wide.edges import OUTSIDE_NAME
from tests.harness import layout

ONE, TWO = (node.name for node in layout.nodes(2))
PUBLIC, ADMIN = "web-public", "web-admin"
"""Two node ports of the page: one is called from outside, the other must be closed."""
REPORT = "report"
WEBHOOK = "admission"


@dataclass(frozen=True)
class Places:
    """The names that the three namespaces have in this run; the third is never captured."""

    ordering: str
    storage: str
    elsewhere: str

    def aliases(self) -> dict[str, str]:
        """Return what the expected edges call them, by their names."""
        return {self.ordering: "ordering", self.storage: "storage", self.elsewhere: "elsewhere"}


def _call(host: str, port: int, protocol: str = "tcp", *, every: float = 4.0) -> Call:
    """Call a host under a name of its own in the score, which is a file's name."""
    return Call(f"{host}-{port}-{protocol}", host, port, protocol, every=every)


def ordering(places: Places) -> tuple[Workload, ...]:
    """Return the workloads of the first namespace."""
    storage, elsewhere = f"{places.storage}.svc", f"{places.elsewhere}.svc"
    return (
        Workload(
            "web",
            listens=(Listen(8080, "http"),),
            # By the names of single pods, which only a headless Service gives.
            calls=(_call(f"db-0.db.{storage}", 5432), _call(f"db-1.db.{storage}", 5432)),
            doors=(
                Door("web", 80, 8080),
                Door(PUBLIC, 80, 8080, kind="NodePort"),
                Door(ADMIN, UNDECLARED_PORT, UNDECLARED_PORT, kind="NodePort"),
            ),
            probe="httpGet",
            node=TWO,
        ),
        Workload(
            "worker",
            listens=(Listen(8081),),
            # Both hosts are Services of type ExternalName: one leads out of the cluster, one does not.
            calls=(
                Call("upstream", "upstream", 443, "http", family="4", tls=True),
                _call("shelf", 6380),
            ),
            doors=(Door("worker", 8081, 8081),),
            strategy="RollingUpdate",
            node=ONE,
        ),
        Workload(
            "poller",
            calls=(
                _call("worker", 8081),
                _call("web", 80, "http"),
                _call(f"agents.{storage}", 9100),
                _call(f"hostagent.{storage}", 19100),
                # One of the two is away for most of the time.
                _call("early", 7000, every=2.0),
                _call("late", 7000, every=2.0),
            ),
            probe="exec",
            node=TWO,
        ),
        Workload(
            "operator",
            calls=(
                Call("api", "kubernetes.default.svc", 443, "http", tls=True),
                _call(f"ledger.{elsewhere}", 8080, "http"),
            ),
            probe="none",
            node=ONE,
        ),
        Workload(
            "collector",
            listens=(Listen(4317), Listen(8125, "udp")),
            # Through its own Service to itself: the node's bridge seems to be the client.
            calls=(_call("collector", 4317),),
            doors=(Door("collector", 4317, 4317), Door("collector-udp", 8125, 8125, "UDP")),
            node=TWO,
        ),
        Workload(
            "early",
            listens=(Listen(7000),),
            calls=(_call(f"store.{storage}", 6380, every=2.0),),
            doors=(Door("early", 7000, 7000),),
            node=ONE,
        ),
        Workload(
            "late",
            listens=(Listen(7000),),
            calls=(_call("collector", 4317, every=2.0),),
            doors=(Door("late", 7000, 7000),),
            node=ONE,
        ),
        Workload(
            REPORT,
            calls=(_call(f"db-0.db.{storage}", 5432, every=2.0),),
            kind="CronJob",
            probe="none",
            rounds=8,
        ),
    )


def storage(places: Places) -> tuple[Workload, ...]:
    """Return the workloads of the second namespace."""
    return (
        Workload(
            "db",
            listens=(Listen(5432),),
            # The second replica follows the first one.
            calls=(_call("db-0.db", 5432),),
            doors=(Door("db", 5432, 5432, kind="Headless"),),
            kind="StatefulSet",
            replicas=2,
        ),
        Workload("store", listens=(Listen(6380),), doors=(Door("store", 6380, 6380),), node=ONE),
        Workload(
            "agent",
            listens=(Listen(9100),),
            calls=(
                _call(f"collector.{places.ordering}.svc", 4317),
                _call(f"collector-udp.{places.ordering}.svc", 8125, "udp"),
            ),
            doors=(Door("agents", 9100, 9100, kind="Headless"),),
            kind="DaemonSet",
        ),
        Workload(
            WEBHOOK,
            listens=(Listen(8443, tls=True),),
            doors=(Door(WEBHOOK, 443, 8443),),
            secret=WEBHOOK,
            node=TWO,
        ),
        Workload(
            "hostagent",
            listens=(Listen(19100),),
            calls=(_call(f"collector.{places.ordering}.svc", 4317),),
            doors=(Door("hostagent", 19100, 19100),),
            host_network=True,
            node=ONE,
        ),
    )


def elsewhere(places: Places) -> tuple[Workload, ...]:
    """Return the workloads of the namespace that nobody captures."""
    return (
        Workload("ledger", listens=(Listen(8080, "http"),), doors=(Door("ledger", 8080, 8080),), node=TWO),
        Workload("auditor", calls=(_call(f"store.{places.storage}.svc", 6380),), probe="none", node=TWO),
    )


def other_names(places: Places) -> list[dict[str, Any]]:
    """Describe the Services that are only another name: of a host outside, and of a Service next door."""
    names = {"upstream": OUTSIDE_NAME, "shelf": f"store.{places.storage}.svc.cluster.local"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": places.ordering},
            "spec": {"type": "ExternalName", "externalName": target},
        }
        for name, target in names.items()
    ]
