"""The network of the harness: a private bridge, a namespace per node, and one that is the Internet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.harness import layout
from tests.harness.layout import Node
from tests.harness.processes import inside, run

WORLD_LINK = "npgv-world"
Command = list[str]


def bridge_commands() -> Iterator[Command]:
    """The bridge, which is also the control plane's own address."""
    yield ["ip", "link", "add", layout.BRIDGE, "type", "bridge"]
    yield ["ip", "addr", "add", f"{layout.CONTROL_PLANE}/24", "dev", layout.BRIDGE]
    yield ["ip", "addr", "add", f"{layout.CONTROL_PLANE_V6}/64", "dev", layout.BRIDGE, "nodad"]
    yield ["ip", "link", "set", layout.BRIDGE, "up"]


def namespace_commands(namespace: str, link: str, address: str, address_v6: str) -> Iterator[Command]:
    """A namespace with one cable to the bridge."""
    yield ["ip", "netns", "add", namespace]
    yield ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace]
    yield ["ip", "link", "set", link, "master", layout.BRIDGE, "up"]
    yield ["ip", "-n", namespace, "link", "set", "lo", "up"]
    yield ["ip", "-n", namespace, "link", "set", "eth0", "up"]
    yield ["ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0"]
    yield ["ip", "-n", namespace, "addr", "add", f"{address_v6}/64", "dev", "eth0", "nodad"]


def world_commands() -> Iterator[Command]:
    """The Internet: addresses on its loopback, no route beyond, no forwarding."""
    yield from namespace_commands(layout.WORLD, WORLD_LINK, layout.WORLD_GATEWAY, layout.WORLD_GATEWAY_V6)
    yield inside(*(layout.WORLD, "sysctl", "-qw"), "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")
    for host in (layout.WORLD_DNS, *layout.WORLD_HOSTS):
        yield ["ip", "-n", layout.WORLD, "addr", "add", f"{host.address}/32", "dev", "lo"]
        yield ["ip", "-n", layout.WORLD, "addr", "add", f"{host.address_v6}/128", "dev", "lo", "nodad"]


def node_commands(node: Node, nodes: Sequence[Node]) -> Iterator[Command]:
    """A node's namespace, its routes and the rules that everything of it passes."""
    namespace = node.network_namespace
    yield from namespace_commands(namespace, node.link, node.address, node.address_v6)
    # Bridged packets must pass iptables, or a Service's answer on the same node comes back untranslated.
    yield inside(
        *(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"),
        *("net.bridge.bridge-nf-call-iptables=1", "net.bridge.bridge-nf-call-ip6tables=1"),
        # Addresses are unique by construction, and waiting for proof delays every pod by a second.
        "net.ipv6.conf.default.accept_dad=0",
    )
    route = ["ip", "-n", namespace, "route", "add"]
    yield [*route, "default", "via", layout.WORLD_GATEWAY]
    yield [*route, "default", "via", layout.WORLD_GATEWAY_V6]
    for other in nodes:
        if other != node:
            yield [*route, other.pod_range, "via", other.address]
            yield [*route, other.pod_range_v6, "via", other.address_v6]
    for iptables, pods in (("iptables", layout.POD_RANGE), ("ip6tables", layout.POD_RANGE_V6)):
        # The Internet knows no way back to a pod's own address.
        masquerade = f"-A POSTROUTING -s {pods} ! -d {pods} -o eth0 -j MASQUERADE"
        yield inside(namespace, iptables, "-w", "-t", "nat", *masquerade.split())
        yield inside(namespace, iptables, "-w", "-t", "mangle", *policy_queue_rule(iptables).split())


def policy_queue_rule(iptables: str) -> str:
    """The rule that hands the first packet of every connection to kube-network-policies.

    Its own nftables rules need nft_queue, which many kernels lack. What the node itself sends, the
    kubelet's probes above all, must always pass: Kubernetes demands it, hence `! --src-type LOCAL`.
    """
    neighbours = "! -p icmpv6 " if iptables == "ip6tables" else ""
    return (
        "-A POSTROUTING -m conntrack --ctstate NEW -m addrtype ! --src-type LOCAL ! -o lo "
        f"{neighbours}-j NFQUEUE --queue-num {layout.POLICY_QUEUE} --queue-bypass"
    )


def control_plane_routes(nodes: Sequence[Node]) -> Iterator[Command]:
    """How the API server reaches pods and Services: webhooks and aggregated APIs need it.

    The control plane's namespace is no node, so node1's kube-proxy translates for it.
    """
    first = nodes[0]
    yield ["ip", "route", "add", layout.SERVICE_RANGE, "via", first.address]
    yield ["ip", "route", "add", layout.SERVICE_RANGE_V6, "via", first.address_v6]
    for node in nodes:
        yield ["ip", "route", "add", node.pod_range, "via", node.address]
        yield ["ip", "route", "add", node.pod_range_v6, "via", node.address_v6]


def create(nodes: Sequence[Node]) -> None:
    """Make the whole network."""
    commands = [*bridge_commands(), *world_commands()]
    for node in nodes:
        commands += node_commands(node, nodes)
    commands += control_plane_routes(nodes)
    for command in commands:
        run(*command)


def namespaces() -> list[str]:
    """The network namespaces of the harness that exist, whatever the number of nodes was."""
    known = [layout.WORLD, *(node.network_namespace for node in layout.nodes(layout.MAX_NODES))]
    return [name for name in known if layout.netns_path(name).exists()]


def remove() -> None:
    """Take the network away again; parts that are not there are no error."""
    links = [WORLD_LINK, *(node.link for node in layout.nodes(layout.MAX_NODES))]
    for namespace in namespaces():
        run("ip", "netns", "del", namespace, check=False)
    for link in [*links, layout.BRIDGE]:
        if layout.link_path(link).exists():
            run("ip", "link", "del", link, check=False)
