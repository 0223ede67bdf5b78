"""Parts of policies that never match are told by their field, and others are not."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ContainerPort, Namespace, ObjectKey
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.idle import find_idle
from tests.factories import a_pod, a_policy

HTTP = ContainerPort("http", 8080, Protocol.TCP)
WEB = Template(ObjectKey("Deployment", "shop", "web"), {"app": "web"})
API = Template(ObjectKey("Deployment", "shop", "api"), {"app": "api"}, (HTTP,))
DB = Template(
    ObjectKey("StatefulSet", "data", "db"), {"app": "db"}, (ContainerPort("sql", 5432, Protocol.TCP),)
)
NAMESPACES = (Namespace("shop", {"team": "a"}), Namespace("data", {"team": "b"}))

TO_DB = Peer(labels_selector({"app": "db"}), labels_selector({"team": "b"}))
OUTSIDE = Peer(ip_block=IPBlock("203.0.113.0/24"))
SQL = PolicyPort(port="sql")


def told(*policies: NetworkPolicy, pods: tuple[Template, ...] = (WEB, API, DB)) -> list[str]:
    manifests = Manifests(namespaces=NAMESPACES, templates=pods, policies=policies)
    return [f"{item.subject}: {item.message}" for item in find_idle(manifests)]


def to(*rules: Rule, app: str = "web") -> NetworkPolicy:
    return a_policy(app, policy_types=(PolicyType.EGRESS,), egress=rules)


def into(*rules: Rule, app: str = "api") -> NetworkPolicy:
    return a_policy(app, policy_types=(PolicyType.INGRESS,), ingress=rules)


@pytest.mark.parametrize(
    "policy",
    [
        to(Rule((TO_DB,), (SQL,))),
        to(Rule((OUTSIDE,), (PolicyPort(port=443),))),
        to(Rule((OUTSIDE, TO_DB), (SQL,))),
        to(Rule((), (SQL,))),
        to(),
        into(Rule((Peer(labels_selector({"app": "web"})),), (PolicyPort(port="http"),))),
        into(Rule((OUTSIDE,), (PolicyPort(port="http"),))),
        into(Rule()),
    ],
)
def test_what_matches_is_not_told(policy: NetworkPolicy) -> None:
    assert told(policy) == []


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (to(app="wbe"), "shop/wbe: spec.podSelector: selects no pod, so the policy does nothing"),
        (
            to(Rule((TO_DB, Peer(labels_selector({"app": "db"}))))),
            # pods of another namespace are not meant without its selector
            "shop/web: spec.egress[0].to[1]: selects no pod",
        ),
        (
            into(Rule(), Rule((Peer(namespace_selector=labels_selector({"team": "c"})),))),
            "shop/api: spec.ingress[1].from[0]: selects no pod",
        ),
        (
            to(Rule((OUTSIDE,), (PolicyPort(port=80), SQL))),
            "shop/web: spec.egress[0].ports[1]: 'sql' is a name, and addresses have no names of ports",
        ),
        (
            to(Rule((TO_DB,), (PolicyPort(port="http"),))),
            "shop/web: spec.egress[0].ports[0]: no pod that it is about declares TCP 'http'",
        ),
        (
            into(Rule((), (PolicyPort(Protocol.UDP, "http"),))),
            "shop/api: spec.ingress[0].ports[0]: no pod that it is about declares UDP 'http'",
        ),
    ],
)
def test_what_never_matches_is_told_by_its_field(policy: NetworkPolicy, message: str) -> None:
    assert told(policy) == [message]


def test_policies_alone_may_be_meant_for_anything() -> None:
    assert told(to(app="nobody"), pods=()) == []


def test_rules_of_a_direction_that_is_not_among_the_types_are_not_looked_at() -> None:
    policy = a_policy(
        "web", policy_types=(PolicyType.INGRESS,), egress=(Rule((Peer(labels_selector({"x": "y"})),)),)
    )
    assert told(policy) == []


def test_pods_count_like_templates() -> None:
    manifests = Manifests(pods=(a_pod("web-1"),), policies=(to(app="web"), to(app="api")))
    assert [item.subject for item in find_idle(manifests)] == ["shop/api: spec.podSelector"]
