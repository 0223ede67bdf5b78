"""Verdicts under tiers are those of the literal reading, with the one rule that decides by name."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Namespace, Pod
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.tiers import Tier, TierPolicy
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.subjects import HostNetwork
from kubectl_netpolgen.semantics.tier_verdicts import TierVerdicts
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, RuleName, Verdict
from tests.factories import address
from tests.semantics.factories import policies
from tests.semantics.test_compiled import NAMESPACES, OUTSIDE, PORTS, members_of, pods
from tests.semantics.test_tier_rules import (
    ACCEPT,
    API,
    DENIED,
    DENY,
    OPEN,
    PASS,
    TIERS,
    WEB,
    a_tier,
)
from tests.semantics.tier_oracle import allowed


@settings(max_examples=80)
@given(
    TIERS,
    st.lists(policies(), max_size=2, unique_by=lambda item: (item.namespace, item.name)),
    st.tuples(*(pods(number) for number in range(1, 4))),
    NAMESPACES,
)
def test_each_end_is_judged_as_the_api_describes(
    tiers: tuple[TierPolicy, ...],
    found: list[NetworkPolicy],
    cluster: tuple[Pod, ...],
    namespaces: dict[str, dict[str, str]],
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
        tiers=tuple(tiers),
    )
    judge = Judge(manifests, blocks=BlocksAndPods.MATCH, host_network=HostNetwork.NODE)
    ends = [ConnectionEnd(pod.addresses[0], pod) for pod in placed]
    taken = {end.address for end in ends}
    ends += [ConnectionEnd(address(text)) for text in OUTSIDE if address(text) not in taken]
    for source in ends:
        for destination in ends:
            if source.address == destination.address or not (source.pod or destination.pod):
                continue
            if source.pod and destination.pod and (":" in source.address) != (":" in destination.address):
                continue
            for protocol, port in ((Protocol.TCP, PORTS[0]), (Protocol.UDP, PORTS[1])):
                verdict = judge.judge(
                    judge.ends.address(source.address),
                    judge.ends.address(destination.address),
                    protocol,
                    port,
                )
                asked = (tiers, literal, namespaces, source, destination, protocol, port)
                out, into = (
                    allowed(*asked, direction) for direction in (PolicyType.EGRESS, PolicyType.INGRESS)
                )
                assert verdict.egress is not None and verdict.ingress is not None
                assert (verdict.egress.decision is Decision.ALLOWED) == out
                assert (verdict.ingress.decision is Decision.ALLOWED) == into
                assert (verdict.decision is Decision.ALLOWED) == (out and into)


def into_api(*tiers: TierPolicy, policies: tuple[NetworkPolicy, ...] = ()) -> Verdict:
    judge = Judge(Manifests(pods=(WEB, API), policies=policies, tiers=tiers))
    return judge.judge(judge.ends.pod("shop/web-1"), judge.ends.pod("shop/api-1"), Protocol.TCP, 8080)


def ingress(verdict: Verdict) -> EndAnswer:
    assert verdict.ingress is not None
    return verdict.ingress


def test_the_rule_that_decides_is_named_and_no_other() -> None:
    denial = ingress(into_api(a_tier(DENY, ACCEPT), policies=(OPEN,)))
    assert denial.denied_by == (RuleName("ClusterNetworkPolicy/x", 1),)
    assert (denial.decision, denial.isolated_by, denial.nearest) == (Decision.DENIED, (), ())
    allowance = ingress(into_api(a_tier(ACCEPT, DENY), policies=(DENIED,)))
    assert allowance.allowed_by == (RuleName("ClusterNetworkPolicy/x", 1),)
    assert not allowance.default


def test_what_is_passed_on_network_policies_decide_and_the_default_after_them() -> None:
    assert ingress(into_api(a_tier(PASS, DENY), policies=(OPEN,))).allowed_by == (RuleName("shop/api", 1),)
    assert ingress(into_api(a_tier(PASS, DENY), policies=(DENIED,))).isolated_by == ("shop/api",)
    assert ingress(into_api(a_tier(PASS, DENY))).default


def test_the_baseline_decides_for_pods_that_nothing_isolates() -> None:
    baseline = a_tier(DENY, tier=Tier.BASELINE, name="base")
    assert ingress(into_api(baseline)).denied_by == (RuleName("ClusterNetworkPolicy/base", 1),)
    assert ingress(into_api(a_tier(PASS), baseline)).denied_by
    assert ingress(into_api(baseline, policies=(OPEN,))).allowed_by == (RuleName("shop/api", 1),)


def test_equal_answers_are_one_object() -> None:
    found = Compiled((), members_of([WEB, API]), {}, tiers=(a_tier(DENY),))
    judged = TierVerdicts(found.tiers)
    one, other = (
        judged.of_pod(PolicyType.INGRESS, 0, 0, port, isolated=False)
        for port in (found.ports.atom(Protocol.TCP, number) for number in (80, 443))
    )
    assert one is not None and one is other
    assert judged.of_outside(PolicyType.INGRESS, 0, 0, 0, isolated=False) is None
