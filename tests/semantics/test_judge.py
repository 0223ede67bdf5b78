"""Verdicts are those of the literal evaluator, with their rules; what plugins differ in is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Namespace, Node, ObjectKey, Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, EndVerdict, Evaluator
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.subjects import HostNetwork
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, Miss, RuleName, Verdict
from tests.factories import a_pod, a_policy, a_port, a_service, address
from tests.semantics.factories import policies
from tests.semantics.test_compiled import NAMESPACES, OUTSIDE, PORTS, pods

CLUSTERS = st.tuples(*(pods(number) for number in range(1, 5)))


def same(found: EndAnswer | None, expected: EndVerdict) -> None:
    assert found is not None
    assert (found.decision is Decision.ALLOWED) == expected.allowed
    assert found.default == (not expected.isolated_by)
    if expected.allowed:
        assert sorted(found.allowed_by) == sorted(
            RuleName(item.policy, item.rule) for item in expected.allowed_by
        )
    else:
        assert sorted(found.isolated_by) == sorted(expected.isolated_by)
        assert all(item.peer != item.port for item in found.nearest)


@settings(max_examples=60)
@given(
    st.lists(policies(), max_size=4, unique_by=lambda item: (item.namespace, item.name)), CLUSTERS, NAMESPACES
)
def test_every_verdict_and_its_rules_are_those_of_the_literal_evaluator(
    found: list[NetworkPolicy], cluster: tuple[Pod, ...], namespaces: dict[str, dict[str, str]]
) -> None:
    literal = Evaluator(found, namespaces)
    # no pod's node is another's, so that its own node lets nothing in
    placed = tuple(
        replace(pod, uid=pod.name, node=f"node-{pod.name}", host_addresses=(), owner=None) for pod in cluster
    )
    manifests = Manifests(
        pods=placed,
        namespaces=tuple(Namespace(name, labels) for name, labels in namespaces.items()),
        policies=tuple(found),
    )
    asked = {"blocks": BlocksAndPods.MATCH, "host_network": HostNetwork.NODE}
    judge, brief = Judge(manifests, **asked), Judge(manifests, **asked, brief=True)  # type: ignore[arg-type]
    ends = [ConnectionEnd(pod.addresses[0], pod) for pod in placed]
    taken = {pod.addresses[0] for pod in placed}
    ends += [ConnectionEnd(address(text)) for text in OUTSIDE if address(text) not in taken]
    for port in PORTS:
        for protocol in (Protocol.TCP, Protocol.UDP):
            for source in ends:
                for destination in ends:
                    if source is destination or source.address == destination.address:
                        continue
                    if (
                        source.pod
                        and destination.pod
                        and (":" in source.address) != (":" in destination.address)
                    ):
                        continue
                    verdict, short = (
                        one.judge(
                            one.ends.address(source.address),
                            one.ends.address(destination.address),
                            protocol,
                            port,
                        )
                        for one in (judge, brief)
                    )
                    same(verdict.egress, literal.egress(source, destination, protocol, port))
                    same(verdict.ingress, literal.ingress(source, destination, protocol, port))
                    allowed = literal.allowed(source, destination, protocol, port)
                    assert (verdict.decision is Decision.ALLOWED) == allowed
                    assert short.decision is verdict.decision


WEB, API = (
    a_pod("web-1", "10.244.1.5"),
    a_pod("api-1", "10.244.1.6", node="node-2", host_addresses=(address("172.18.0.3"),)),
)
FROM_WEB = Rule((Peer(pod_selector=labels_selector({"app": "web"})),), (PolicyPort(port=8080),))


def into_api(*rules: Rule) -> NetworkPolicy:
    return a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=rules)


def asked(
    manifests: Manifests,
    source: str,
    destination: str,
    port: int = 8080,
    **options: BlocksAndPods | HostNetwork,
) -> Verdict:
    judge = Judge(manifests, **options)  # type: ignore[arg-type]
    return judge.judge(judge.ends.spelled(source), judge.ends.spelled(destination), Protocol.TCP, port)


def some(*found: NetworkPolicy, pods: tuple[Pod, ...] = (WEB, API), **more: object) -> Manifests:
    return Manifests(pods=pods, policies=found, **more)  # type: ignore[arg-type]


def test_allow_names_its_rules_and_the_open_end_its_default() -> None:
    verdict = asked(some(into_api(FROM_WEB, Rule())), "shop/web-1", "shop/api-1")
    assert verdict.decision is Decision.ALLOWED
    assert verdict.egress is not None
    assert verdict.ingress is not None
    assert verdict.egress.default
    assert verdict.ingress.allowed_by == (RuleName("shop/api", 1), RuleName("shop/api", 2))


def test_deny_names_its_policies_and_what_comes_nearest() -> None:
    verdict = asked(some(into_api(FROM_WEB)), "shop/web-1", "shop/api-1", 81)
    assert verdict.decision is Decision.DENIED
    assert verdict.ingress is not None
    assert verdict.ingress.isolated_by == ("shop/api",)
    assert verdict.ingress.nearest == (Miss("shop/api", 1, peer=True, port=False),)
    other = asked(some(into_api(FROM_WEB)), "203.0.113.9", "shop/api-1")
    assert other.ingress is not None
    assert other.ingress.nearest == (Miss("shop/api", 1, peer=False, port=True),)


def test_nothing_keeps_a_pod_from_itself_but_from_its_replicas() -> None:
    manifests = some(into_api(), pods=(API, a_pod("api-2", "10.244.1.7")))
    assert asked(manifests, "shop/api-1", "10.244.1.6").decision is Decision.ALLOWED
    assert asked(manifests, "shop/api-1", "shop/api-2").decision is Decision.DENIED


def test_workload_is_allowed_only_if_all_its_pods_are() -> None:
    web = ObjectKey("Deployment", "shop", "web")
    canary = a_pod("web-2", "10.244.1.7", labels={"app": "canary"})
    manifests = some(into_api(FROM_WEB), pods=(WEB, canary, API), owners={WEB.uid: web, canary.uid: web})
    assert asked(manifests, "shop/Deployment/web", "shop/api-1").decision is Decision.DENIED
    manifests = some(into_api(FROM_WEB), owners={WEB.uid: web})
    assert asked(manifests, "shop/Deployment/web", "shop/api-1").decision is Decision.ALLOWED


def test_template_is_judged_where_there_are_no_pods() -> None:
    job = Template(ObjectKey("CronJob", "shop", "job"), {"app": "web"})
    manifests = some(into_api(FROM_WEB), templates=(job,))
    assert asked(manifests, "shop/CronJob/job", "shop/api-1").decision is Decision.ALLOWED
    assert asked(manifests, "shop/CronJob/job", "shop/api-1", 81).decision is Decision.DENIED


BLOCK = into_api(Rule((Peer(ip_block=IPBlock("10.0.0.0/8")),)))


def test_block_that_holds_a_pod_is_for_the_plugin_to_say_unless_it_is_said() -> None:
    verdict = asked(some(BLOCK), "shop/web-1", "shop/api-1")
    assert verdict.decision is Decision.CNI_DEPENDENT
    assert "ipBlock" in verdict.reason
    for blocks, expected in zip(BlocksAndPods, (Decision.ALLOWED, Decision.DENIED), strict=True):
        assert asked(some(BLOCK), "shop/web-1", "shop/api-1", blocks=blocks).decision is expected


def test_pod_of_its_nodes_network_is_for_the_plugin_to_say_unless_it_is_said() -> None:
    agent = a_pod("web-9", "172.18.0.9", node="node-9", host_network=True, host_addresses=())
    manifests = some(into_api(FROM_WEB), pods=(agent, API))
    verdict = asked(manifests, "shop/web-9", "shop/api-1")
    assert verdict.decision is Decision.CNI_DEPENDENT
    assert "node's network" in verdict.reason
    for host, expected in zip(HostNetwork, (Decision.ALLOWED, Decision.DENIED), strict=True):
        assert asked(manifests, "shop/web-9", "shop/api-1", host_network=host).decision is expected
    near = replace(agent, node="node-2")
    manifests = some(into_api(), pods=(near, API))
    assert asked(manifests, "shop/web-9", "shop/api-1", host_network=HostNetwork.NODE).decision is (
        Decision.ALLOWED
    )


def test_own_node_always_may_and_others_as_rules_say_as_far_as_plugins_agree() -> None:
    nodes = (Node("node-2", (address("172.18.0.3"),)), Node("node-3", (address("172.18.0.4"),)))
    deny, anyone = some(into_api(), nodes=nodes), some(into_api(Rule()), nodes=nodes)
    block = some(into_api(Rule((Peer(ip_block=IPBlock("172.18.0.0/16")),))), nodes=nodes)
    assert asked(deny, "172.18.0.3", "shop/api-1").decision is Decision.ALLOWED
    assert asked(deny, "172.18.0.4", "shop/api-1").decision is Decision.DENIED
    assert asked(anyone, "172.18.0.4", "shop/api-1").decision is Decision.ALLOWED
    assert asked(block, "172.18.0.4", "shop/api-1").decision is Decision.CNI_DEPENDENT
    homeless = replace(API, node="", host_addresses=())
    somewhere = some(into_api(), pods=(homeless,), nodes=nodes)
    assert asked(somewhere, "172.18.0.4", "shop/api-1").decision is Decision.CNI_DEPENDENT


def test_service_is_its_pods_and_their_port() -> None:
    manifests = some(into_api(FROM_WEB), services=(a_service("api", "10.96.0.10"),))
    assert asked(manifests, "shop/web-1", "10.96.0.10", 80).decision is Decision.ALLOWED
    assert asked(manifests, "shop/web-1", "10.96.0.10", 8080).decision is Decision.UNRESOLVED
    assert asked(manifests, "10.96.0.10", "shop/web-1").decision is Decision.UNRESOLVED
    bare = some(services=(a_service("api", "10.96.0.10", selector={}),))
    assert asked(bare, "shop/web-1", "10.96.0.10", 80).decision is Decision.UNRESOLVED
    assert asked(manifests, "shop/api-1", "10.96.0.10", 80).decision is Decision.CNI_DEPENDENT


def test_services_port_by_name_is_each_pods_own() -> None:
    ported = replace(API, ports=(a_port(8080, "http"),))
    service = a_service("api", "10.96.0.10")
    named = replace(service, ports=(replace(service.ports[0], target_port="http"),))
    manifests = some(into_api(FROM_WEB), pods=(WEB, ported), services=(named,))
    assert asked(manifests, "shop/web-1", "10.96.0.10", 80).decision is Decision.ALLOWED
    nameless = some(into_api(FROM_WEB), services=(named,))
    assert asked(nameless, "shop/web-1", "10.96.0.10", 80).decision is Decision.UNRESOLVED


@pytest.mark.parametrize("name", ["shop/nobody", "127.0.0.1", "224.0.0.1"])
def test_nobody_is_unresolved_and_never_allowed(name: str) -> None:
    verdict = asked(some(), "shop/web-1", name)
    assert (verdict.decision, verdict.egress, verdict.ingress) == (Decision.UNRESOLVED, None, None)
    assert verdict.reason


def test_pods_of_two_families_have_no_answer() -> None:
    manifests = some(pods=(WEB, a_pod("api-1", "fd00::6")))
    assert asked(manifests, "shop/web-1", "shop/api-1").decision is Decision.UNRESOLVED


def test_addresses_outside_are_nobodys_to_forbid() -> None:
    deny = a_policy("any", pod_selector=LabelSelector())
    assert asked(some(deny), "203.0.113.9", "8.8.8.8").decision is Decision.ALLOWED
