"""Random policies in the one form that reading gives them, for inverses and oracles."""

from __future__ import annotations

from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol, canonical_address, host_network
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement

KEYS = st.sampled_from(["app", "tier", "kubernetes.io/metadata.name", "app.kubernetes.io/name"])
VALUES = st.sampled_from(["", "a", "b", "on", "1", "0x1f"])
PROTOCOLS = st.sampled_from(Protocol)


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    """An expression that the API server accepts."""
    operator = draw(st.sampled_from(Operator))
    values: tuple[str, ...] = ()
    if operator in (Operator.IN, Operator.NOT_IN):
        values = tuple(sorted(draw(st.sets(VALUES, min_size=1))))
    return Requirement(draw(KEYS), operator, values)


@st.composite
def selectors(draw: st.DrawFn) -> LabelSelector:
    """Labels and expressions, sorted as reading sorts them."""
    labels = draw(st.dictionaries(KEYS, VALUES, max_size=2))
    expressions = draw(st.lists(requirements(), max_size=2))
    return LabelSelector(
        tuple(sorted(labels.items())),
        tuple(sorted(expressions, key=lambda item: (item.key, item.operator.value, item.values))),
    )


@st.composite
def blocks(draw: st.DrawFn) -> IPBlock:
    """A CIDR, sometimes with an address left out."""
    network = draw(st.sampled_from(["10.244.0.0/16", "203.0.113.0/24", "0.0.0.0/0", "fd00::/8", "::/0"]))
    inside = {"10.244.0.0/16": "10.244.1.5", "203.0.113.0/24": "203.0.113.10", "0.0.0.0/0": "8.8.8.8"}
    hole = host_network(canonical_address(inside.get(network, "fd00::5")))
    return IPBlock(network, draw(st.sampled_from([(), (hole,)])))


@st.composite
def peers(draw: st.DrawFn) -> Peer:
    """One of the four forms of a peer."""
    pods = st.none() | selectors()
    if draw(st.booleans()):
        return Peer(ip_block=draw(blocks()))
    pod_selector = draw(pods)
    namespaces = draw(pods if pod_selector is not None else selectors())
    return Peer(pod_selector=pod_selector, namespace_selector=namespaces)


@st.composite
def ports(draw: st.DrawFn) -> PolicyPort:
    """No port, a number, a range or a name."""
    protocol = draw(PROTOCOLS)
    port = draw(st.none() | st.integers(1, 65535) | st.sampled_from(["http", "dns"]))
    end = draw(st.none() | st.integers(port, 65535)) if isinstance(port, int) else None
    return PolicyPort(protocol, port, end)


RULES = st.builds(
    Rule,
    peers=st.lists(peers(), max_size=3).map(tuple),
    ports=st.lists(ports(), max_size=3).map(tuple),
)


@st.composite
def policies(draw: st.DrawFn) -> NetworkPolicy:
    """A policy with explicit policyTypes."""
    types = draw(
        st.sampled_from(
            [(PolicyType.INGRESS,), (PolicyType.EGRESS,), (PolicyType.INGRESS, PolicyType.EGRESS)]
        )
    )
    return NetworkPolicy(
        namespace=draw(st.sampled_from(["shop", "other"])),
        name=draw(st.sampled_from(["a", "b", "c"])),
        pod_selector=draw(selectors()),
        policy_types=types,
        ingress=tuple(draw(st.lists(RULES, max_size=2))),
        egress=tuple(draw(st.lists(RULES, max_size=2))),
        labels=tuple(sorted(draw(st.dictionaries(KEYS, VALUES, max_size=1)).items())),
        annotations=tuple(sorted(draw(st.dictionaries(KEYS, st.text(max_size=5), max_size=1)).items())),
    )
