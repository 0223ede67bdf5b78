"""Names, addresses and directories of the harness: everything that has to be the same everywhere."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

BRIDGE = "npg0"
WORLD = "npg-world"
CGROUP = "npg-harness"
CNI_NETWORK = "npg-harness"

CONTROL_PLANE = "10.89.0.1"
CONTROL_PLANE_V6 = "fd00:10:89::1"
WORLD_GATEWAY = "10.89.0.254"
WORLD_GATEWAY_V6 = "fd00:10:89::254"
API_PORT = 6443
API_URL = f"https://{CONTROL_PLANE}:{API_PORT}"
ETCD_PORT = 12379
ETCD_PEER_PORT = 12380

POD_RANGE = "10.244.0.0/16"
POD_RANGE_V6 = "fd00:10:244::/48"
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_RANGE_V6 = "fd00:10:96::/112"
API_SERVICE = "10.96.0.1"
CLUSTER_DNS = "10.96.0.10"

TOOLBOX_IMAGE = "localhost/netpolgen/toolbox:dev"
# The product's default capture image: the same content, so that defaults work without a registry.
PRODUCT_IMAGE = "docker.io/nicolaka/netshoot:v0.13"
PAUSE_IMAGE = "localhost/netpolgen/pause:dev"
COREDNS_IMAGE = "localhost/netpolgen/coredns:dev"
POLICY_IMAGE = "localhost/netpolgen/kube-network-policies:dev"

POLICY_QUEUE = 100
MAX_NODES = 9


@dataclass(frozen=True)
class WorldHost:
    """A name outside the cluster with its two addresses.

    Tests connect to these and to nothing else, so no packet leaves the machine.
    """

    name: str
    address: str
    address_v6: str


WORLD_DNS = WorldHost("dns.example.test", "203.0.113.53", "2001:db8::53")
WORLD_HOSTS = (
    WorldHost("api.example.test", "203.0.113.10", "2001:db8::10"),
    WorldHost("cdn.example.test", "203.0.113.20", "2001:db8::20"),
)


@dataclass(frozen=True)
class Node:
    """One node: its number decides its name, addresses and pod ranges.

    Static arithmetic instead of an allocator keeps routes and certificates known before any node runs.
    """

    number: int

    @property
    def name(self) -> str:
        """The node's name in Kubernetes."""
        return f"node{self.number}"

    @property
    def network_namespace(self) -> str:
        """The network namespace in which everything of the node runs."""
        return f"npg-{self.name}"

    @property
    def link(self) -> str:
        """The bridge's end of the cable to the node."""
        return f"npgv-{self.name}"

    @property
    def address(self) -> str:
        """The node's InternalIP."""
        return f"10.89.0.{10 + self.number}"

    @property
    def address_v6(self) -> str:
        """The node's second InternalIP."""
        return f"fd00:10:89::{10 + self.number}"

    @property
    def pod_range(self) -> str:
        """The IPv4 range of the node's pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def pod_range_v6(self) -> str:
        """The IPv6 range of the node's pods."""
        return f"fd00:10:244:{self.number}::/64"


def nodes(count: int) -> tuple[Node, ...]:
    """The first `count` nodes; the addresses leave room for nine."""
    if not 1 <= count <= MAX_NODES:
        raise ValueError(f"--nodes must be between 1 and {MAX_NODES}, not {count}")
    return tuple(Node(number) for number in range(1, count + 1))


def netns_path(name: str) -> Path:
    """The file that keeps a named network namespace alive."""
    return Path("/run/netns") / name


def link_path(name: str) -> Path:
    """Exists while the machine's own network namespace has this link."""
    return Path("/sys/class/net") / name


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "netpolgen"


@dataclass(frozen=True)
class Layout:
    """Where things are on disk.

    The state lies under a short path because a Unix socket's path may have 107 characters only.
    """

    state: Path = Path("/var/lib/npg-harness")
    build: Path = CHECKOUT / "build" / "cluster"
    cache: Path = field(default_factory=_user_cache)

    @property
    def logs(self) -> Path:
        """One log file per component."""
        return self.state / "logs"

    @property
    def pids(self) -> Path:
        """One file per started process."""
        return self.state / "pids"

    @property
    def pki(self) -> Path:
        """Keys, certificates and tokens."""
        return self.state / "pki"

    @property
    def ready_marker(self) -> Path:
        """Exists from the moment the cluster is complete; holds the number of nodes."""
        return self.state / "ready"

    @property
    def admin_kubeconfig(self) -> Path:
        """For the tests: all rights."""
        return self.build / "admin.kubeconfig"

    @property
    def dev_kubeconfig(self) -> Path:
        """For the tests of RBAC: user `dev`, no rights until a test binds some."""
        return self.build / "dev.kubeconfig"

    @property
    def kubectl(self) -> Path:
        """The kubectl built together with the cluster."""
        return self.build / "kubectl"

    def node(self, node: Node) -> Path:
        """All state of one node."""
        return self.state / node.name

    def containerd_socket(self, node: Node) -> Path:
        """The node's container runtime endpoint."""
        return self.node(node) / "containerd.sock"

    def pod_logs(self, node: Node) -> Path:
        """The node's own pod logs.

        Two kubelets that share /var/log/pods delete each other's.
        """
        return self.node(node) / "pod-logs"
