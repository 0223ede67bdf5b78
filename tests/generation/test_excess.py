"""What is allowed and was not seen is counted, and nothing that was seen is."""

from __future__ import annotations

from kubectl_netpolgen.generation.excess import Excess, find_excess, told
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import a_pod, a_policy, a_port, a_timeline, a_workload, an_edge, an_endpoint
from tests.generation.factories import deployed, generated, key, kube_dns, pods, tcp

THREE = deployed("web", "api", "db")
TWIN = (a_workload("web-canary"), a_pod("web-canary-1", "10.244.1.9", labels={"app": "web"}))


def excess(*edges: Edge, objects: tuple[KubernetesObject, ...] = THREE) -> tuple[Excess, ...]:
    found = generated(*edges, objects=objects)
    return find_excess(found.edges, found.policies, a_timeline(*objects))


def test_exact_policies_allow_nothing_else() -> None:
    assert excess(an_edge("web", "api"), an_edge("api", "db", port=5432)) == ()


def test_label_twin_gets_what_its_sibling_needed_and_is_counted() -> None:
    assert excess(an_edge("web", "api"), objects=(*THREE, *TWIN)) == (
        Excess(key("web-canary"), key("api"), Protocol.TCP, 8080),
    )


def test_twin_of_a_server_is_reached_as_well() -> None:
    found = excess(an_edge("api", "web"), objects=(*THREE, *TWIN))
    assert [str(item) for item in found] == [
        "Deployment shop/api -> Deployment shop/web-canary 8080/TCP",
    ]


def test_standing_policy_that_allows_more_counts_too() -> None:
    policies = [
        a_policy("api", ingress=(Rule((pods("web"),), tcp(8080)),)),
        a_policy("web", egress=(Rule((pods("api"),), tcp(8080)),)),
    ]
    wide = a_policy("db", policy_types=(PolicyType.EGRESS,), egress=(Rule(),))
    standing = a_policy(
        "extra", pod_selector=LabelSelector((("app", "api"),)), ingress=(Rule((pods("db"),)),)
    )
    timeline = a_timeline(*THREE, wide, standing)
    found = find_excess([an_edge("web", "api")], policies, timeline)
    assert found == (Excess(key("db"), key("api"), Protocol.TCP, 8080),)


def test_range_and_name_are_asked_by_their_numbers() -> None:
    objects = (
        *deployed("web", "db"),
        a_workload("api"),
        a_pod("api-1", "10.244.1.2", ports=(a_port(9090, "http"),)),
    )
    rules = (
        Rule((pods("web"),), (PolicyPort(Protocol.TCP, "http"), PolicyPort(Protocol.TCP, 1, end_port=3))),
    )
    found = find_excess([], [a_policy("api", ingress=rules)], a_timeline(*objects))
    assert [item.port for item in found] == [1, 3, 9090]


def test_namespaces_policy_is_counted_pair_by_pair_and_also_between_pods_of_one_workload() -> None:
    objects = (*deployed("web", "api"), a_pod("api-2", "10.244.1.9"))
    found = generated(an_edge("web", "api"), objects=objects, per=Granularity(Per.NAMESPACE))
    pairs = find_excess(found.edges, found.policies, a_timeline(*objects))
    assert [str(item) for item in pairs] == [
        "Deployment shop/api -> Deployment shop/api 8080/TCP",
        "Deployment shop/api -> Deployment shop/web 8080/TCP",
    ]


def test_servers_elsewhere_whom_an_egress_rule_names_count_where_nobody_isolates_them() -> None:
    there = an_endpoint("pay", namespace="pay")
    objects = (*deployed("web"), *deployed("pay", "ledger", namespace="pay"))
    for per, wanted in ((Per.WORKLOAD, []), (Per.NAMESPACE, ["ledger"])):
        found = generated(an_edge("web", there, 443), objects=objects, per=Granularity(per))
        pairs = find_excess(found.edges, found.policies, a_timeline(*objects))
        assert [item.server.name for item in pairs] == wanted
        assert all(item.port == 443 for item in pairs)


def test_rule_that_lets_pods_resolve_names_is_assumed_and_not_counted() -> None:
    resolver = (
        a_workload("coredns", namespace="kube-system"),
        a_pod("coredns-1", "10.244.3.1", namespace="kube-system", labels={"k8s-app": "kube-dns"}),
    )
    objects = (*deployed("web", "api"), *resolver, kube_dns())
    found = generated(an_edge("web", "api"), objects=objects)
    timeline = a_timeline(*objects)
    assert find_excess(found.edges, found.policies, timeline, assumed=found.dns_rules) == ()
    assert len(find_excess(found.edges, found.policies, timeline)) == 2


def test_each_server_is_one_finding_and_long_lists_are_cut() -> None:
    many = [Excess(key(f"c{number:02}"), key("api"), Protocol.TCP, 80) for number in range(12)]
    (finding,) = told(many)
    assert (finding.code, finding.subject) == ("allowed-unseen", "Deployment shop/api")
    assert "Deployment shop/c07 on 80/TCP and 4 more" in finding.message
