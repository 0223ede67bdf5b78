"""A shop of three workloads on a fake cluster, whose agents really run and capture what is played to them.

`frontend` calls `cart`, which answers; `batch` talks to nobody.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.documents.yaml_text import load_documents
from tests.cli.factories import NOON, Heard, an_environment
from tests.cluster.fake_api import FakeApi
from tests.cluster.fake_api.answers import Received
from tests.packets.factories import LINUX_SLL2, a_pcap, tcp_close, tcp_handshake
from tests.runs.fake_pods import NAMESPACE, FakeNode

ADDRESSES = {"frontend": "10.244.1.5", "cart": "10.244.2.7", "batch": "10.244.1.9"}
PORT = 7070

_TCPDUMP = """\
#!{python} -SE
import os, signal, sys
def say(text):
    sys.stderr.write(text + "\\n")
    sys.stderr.flush()
def end(*_):
    say("4 packets captured\\n4 packets received by filter\\n0 packets dropped by kernel")
    sys.exit(0)
if os.environ["FAKE_TCPDUMP"] == "refused":
    say("tcpdump: any: You don't have permission to perform this capture on that device")
    sys.exit(1)
signal.signal(signal.SIGINT, end)
pod = os.environ["NPG_BASES"].split("/")[-3].split("-")[0]
with open(sys.argv[sys.argv.index("-w") + 1], "wb") as out, open("{played}/" + pod + ".pcap", "rb") as played:
    out.write(played.read())
say("tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 1600 bytes")
while True:
    signal.pause()
"""
_CAT = """\
#!/bin/sh
# the sockets of the machine that runs the tests are not the pod's
case ${{1-}} in
/proc/net/*) ;;
*) exec {cat} "$@" ;;
esac
"""


@dataclass
class Shop:
    """The cluster, and the tool run against it."""

    api: FakeApi
    node: FakeNode
    directory: Path
    """The working directory of the tool."""
    kubeconfig: Path

    def environment(self, **given: Any) -> Heard:
        """The world that a run of the tool is given."""
        variables: Mapping[str, str] = given.pop("variables", {})
        return Heard(
            an_environment(
                directory=self.directory,
                variables={"KUBECONFIG": str(self.kubeconfig), **variables},
                **given,
            )
        )

    def capture(
        self, *words: str, namespace: str = NAMESPACE, world: Heard | None = None, **given: Any
    ) -> tuple[int, Heard]:
        """`kubectl netpolgen capture`, for a second."""
        world = world or self.environment(**given)
        argv = ["kubectl-netpolgen", "capture", "-n", namespace, "--duration", "1s", *words]
        return main(argv, world.environment), world

    @property
    def changes(self) -> list[Received]:
        """What was asked of the server beyond reading and dry-runs."""
        reviews = "/selfsubjectaccessreviews"
        return [
            request
            for request in self.api.received
            if request.method != "GET"
            and request.query.get("dryRun") != ["All"]
            and not request.path.endswith(reviews)
        ]

    @property
    def files(self) -> list[Path]:
        """Whatever the tool has written."""
        return sorted(self.directory.rglob("*"))


def policies(bundle: Path) -> dict[str, Any]:
    """The policies of a bundle by their file's name, in order."""
    return {
        path.name: load_documents(path.read_text(encoding="utf-8"))[0]
        for path in sorted((bundle / "policies").iterdir())
    }


def add_workload(node: FakeNode, name: str) -> None:
    """A Deployment of one pod, with what stands between them."""
    store = node.api.store
    labels = {"app": name}
    selector = {"matchLabels": labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}]}}
    above: list[dict[str, Any]] = []
    for kind, suffix in (("Deployment", ""), ("ReplicaSet", "-5d8f")):
        owner = store.put(
            kind,
            f"{name}{suffix}",
            namespace=NAMESPACE,
            metadata={"ownerReferences": above, "labels": labels},
            spec={"selector": selector, "template": template, "replicas": 1},
        )
        above = [
            {
                "apiVersion": "apps/v1",
                "kind": kind,
                "name": f"{name}{suffix}",
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    address = ADDRESSES[name]
    node.pod(
        f"{name}-5d8f-x",
        metadata={"ownerReferences": above, "labels": labels},
        spec={"containers": [{"name": "c", "ports": [{"containerPort": PORT}] if name == "cart" else []}]},
        status={"podIP": address, "podIPs": [{"ip": address}]},
    )


def play(directory: Path) -> None:
    """What each pod's tcpdump sees: one whole connection from frontend to cart."""
    ends = (ADDRESSES["frontend"], 40000, ADDRESSES["cart"], PORT)
    call = [*tcp_handshake(*ends, time=NOON), *tcp_close(*ends, time=NOON + 50_000_000)]
    for name in ADDRESSES:
        packets = [] if name == "batch" else call
        (directory / f"{name}.pcap").write_bytes(a_pcap(packets, link=LINUX_SLL2))


def install_players(tools: Path, played: Path) -> None:
    """Replace what would look at this machine by what plays a pod's files."""
    cat = shutil.which("cat")
    for name, text in (
        ("tcpdump", _TCPDUMP.format(python=sys.executable, played=played)),
        ("cat", _CAT.format(cat=cat)),
    ):
        (tools / name).unlink()
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)


@contextmanager
def open_shop(directory: Path, names: Sequence[str] = tuple(ADDRESSES)) -> Iterator[Shop]:
    """Set the shop up, and take it down with every agent."""
    for folder in ("node", "played", "here"):
        (directory / folder).mkdir()
    with FakeApi() as api:
        node = FakeNode(api, directory / "node")
        play(directory / "played")
        install_players(directory / "node" / "bin", directory / "played")
        api.store.put("Namespace", NAMESPACE, metadata={"labels": {"kubernetes.io/metadata.name": NAMESPACE}})
        for name in names:
            add_workload(node, name)
        try:
            yield Shop(api, node, directory / "here", api.kubeconfig(directory))
        finally:
            node.stop()


Reason = Callable[[str, Mapping[str, Any]], str]


def only(name: str, reason: str) -> Reason:
    """The kubelet's or tcpdump's word on one workload's pods, and silence on the others'."""
    return lambda pod, container: reason if pod.startswith(f"{name}-") else ""
