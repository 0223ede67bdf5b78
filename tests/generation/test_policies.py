"""One policy for each captured workload, exactly as wide as its edges, and the deny-all last."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.documents.yaml_text import dump_documents
from kubectl_netpolgen.generation.deny_all import default_deny
from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.names import DEFAULT_DENY
from kubectl_netpolgen.generation.policies import Generated
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import IPBlock, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.policies import policy_document
from tests.factories import (
    a_network,
    a_pod,
    a_workload,
    address,
    an_edge,
    an_endpoint,
    an_external,
    an_owner,
    an_unknown,
)
from tests.generation.factories import (
    DNS_ADDRESS,
    deployed,
    generated,
    key,
    kube_dns,
    pods,
    policy_of,
    spec_of,
    tcp,
)

BOTH = (PolicyType.INGRESS, PolicyType.EGRESS)
NO_DNS: dict[str, Any] = {"dns": DnsMode.OBSERVED}
THREE = deployed("web", "api", "db")
DNS_RULE = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def names(found: Generated) -> list[str]:
    """Names of the policies in the order of their application."""
    return [policy.name for policy in found.policies]


def codes(found: Generated) -> list[str]:
    """Codes of the findings."""
    return [finding.code for finding in found.findings]


def query(client: str = "web") -> Edge:
    """A lookup at a nameserver that nobody may read."""
    return an_edge(
        client, an_unknown(str(DNS_ADDRESS), role=Role.DNS), 53, protocol=Protocol.UDP, role=Role.DNS
    )


def test_every_captured_workload_has_one_policy_with_both_types_also_without_edges() -> None:
    found = generated(an_edge("web", "api"))
    assert names(found) == [f"netpolgen-allow-deployment-{name}" for name in ("api", "db", "web")]
    assert {policy.policy_types for policy in found.policies} == {BOTH}
    assert spec_of(found, "db") == {
        "podSelector": {"matchLabels": {"app": "db"}},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_workload_that_was_not_captured_has_no_policy() -> None:
    assert names(generated(an_edge(), captured=[key("web")])) == ["netpolgen-allow-deployment-web"]


def test_both_ends_of_an_edge_allow_it() -> None:
    found = generated(an_edge("web", "api"), **NO_DNS)
    assert policy_of(found, "web").egress == (Rule((pods("api"),), tcp(8080)),)
    assert policy_of(found, "api").ingress == (Rule((pods("web"),), tcp(8080)),)
    assert policy_of(found, "web").ingress == policy_of(found, "api").egress == ()


def test_edge_of_a_workload_to_itself_is_allowed_both_ways() -> None:
    policy = policy_of(generated(an_edge("db", "db", 7946), **NO_DNS), "db")
    assert policy.ingress == policy.egress == (Rule((pods("db"),), tcp(7946)),)


def test_every_client_may_resolve_names_seen_or_not() -> None:
    found = generated(an_edge("web", "api"))
    assert spec_of(found, "web")["egress"] == [
        {
            "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        },
        DNS_RULE,
    ]
    assert dict(policy_of(found, "web").annotations)["netpolgen.io/assumed"] == "egress/2"
    assert "egress" not in spec_of(found, "api")


def test_observed_mode_allows_only_the_lookups_that_were_seen() -> None:
    found = generated(an_edge("web", "api"), query("api"), **NO_DNS)
    assert len(policy_of(found, "web").egress) == 1
    assert spec_of(found, "api")["egress"] == [DNS_RULE]


def test_lookups_need_no_rule_beside_the_one_for_dns() -> None:
    found = generated(query(), objects=(*THREE, kube_dns()))
    assert spec_of(found, "web")["egress"] == [DNS_RULE]
    assert (found.unresolved, len(found.edges)) == ((), 1)


def test_private_nameserver_beside_the_clusters_own_needs_a_decision() -> None:
    other = an_edge("web", an_unknown("10.9.8.7", role=Role.DNS), 53, protocol=Protocol.UDP, role=Role.DNS)
    found = generated(other, objects=(*THREE, kube_dns()))
    assert [item.edge for item in found.unresolved] == [other]
    assert policy_of(found, "web").policy_types == (PolicyType.INGRESS,)


def test_resolver_of_a_pods_own_is_allowed_by_itself_or_needs_a_decision() -> None:
    outside = an_edge("web", an_external("8.8.8.8"), 53, protocol=Protocol.UDP)
    inside = an_edge("api", an_unknown("10.9.8.7", role=Role.DNS), 53, protocol=Protocol.UDP, role=Role.DNS)
    found = generated(outside, inside, **NO_DNS)
    assert policy_of(found, "web").egress == (
        Rule((Peer(ip_block=IPBlock("8.8.8.8/32")),), (PolicyPort(Protocol.UDP, 53),)),
    )
    assert [item.edge for item in found.unresolved] == [inside]
    assert policy_of(found, "api").policy_types == (PolicyType.INGRESS,)


def test_probes_and_failures_get_no_rule() -> None:
    node = Endpoint(EndpointKind.NODE, name="node-1")
    found = generated(
        an_edge(node, "web", role=Role.PROBE),
        an_edge("web", "db", outcome=Outcome.REFUSED),
        an_edge("web", "api", outcome=Outcome.UNKNOWN),
    )
    assert all(not policy.ingress and not policy.egress for policy in found.policies)
    assert found.edges == ()


@pytest.mark.parametrize(
    "outcome", [Outcome.REFUSED, Outcome.UNANSWERED, Outcome.PROHIBITED, Outcome.UNKNOWN, Outcome.ESTABLISHED]
)
def test_decision_accepts_and_drops_whatever_was_seen(outcome: Outcome) -> None:
    edge = an_edge("web", "api", outcome=outcome)
    accept, drop = Decision(edge.id, Verdict.ACCEPT), Decision(edge.id, Verdict.DROP)
    assert policy_of(generated(edge, decisions=[accept], **NO_DNS), "web").egress
    assert not policy_of(generated(edge, decisions=[drop], **NO_DNS), "web").egress


def test_unknown_peer_withholds_that_direction_and_no_other() -> None:
    edge = an_edge("web", an_unknown())
    found = generated(edge, an_edge("api", "web"), an_edge("web", "db"))
    policy = policy_of(found, "web")
    assert policy.policy_types == (PolicyType.INGRESS,)
    assert policy.ingress == (Rule((pods("api"),), tcp(8080)),)
    assert policy.egress == ()
    assert "netpolgen.io/assumed" not in dict(policy.annotations)
    (finding,) = found.findings
    assert (finding.code, finding.subject) == ("peer-unknown", "shop/Deployment/web Egress")
    assert edge.id in finding.way_out
    assert edge not in found.edges


def test_workload_unknown_both_ways_has_no_policy() -> None:
    found = generated(an_edge("web", an_unknown()), an_edge(an_unknown(), "web"))
    assert names(found) == ["netpolgen-allow-deployment-api", "netpolgen-allow-deployment-db"]
    assert codes(found) == ["peer-unknown", "peer-unknown"]


def test_decided_peer_gives_the_direction_back() -> None:
    edge = an_edge("web", an_unknown())
    peer = Peer(ip_block=IPBlock("10.9.8.0/24"))
    found = generated(edge, decisions=[Decision(edge.id, Verdict.ACCEPT, peer)], **NO_DNS)
    assert policy_of(found, "web").policy_types == BOTH
    assert policy_of(found, "web").egress == (Rule((peer,), tcp(8080)),)
    assert codes(found) == ["decision-taken-on-trust"]


def test_decided_pods_behind_a_service_have_the_port_that_was_said_and_none_before() -> None:
    edge = an_edge("web", an_unknown("10.96.0.9"), 5432)
    incomplete = Decision(edge.id, Verdict.ACCEPT, pods("db"))
    found = generated(edge, decisions=[incomplete], **NO_DNS)
    assert policy_of(found, "web").policy_types == (PolicyType.INGRESS,)
    assert codes(found) == ["decision-incomplete"]
    said = Decision(edge.id, Verdict.ACCEPT, pods("db"), ports=(5433, "pg"))
    found = generated(edge, decisions=[said], **NO_DNS)
    assert policy_of(found, "web").egress == (
        Rule((pods("db"),), (PolicyPort(Protocol.TCP, "pg"), *tcp(5433))),
    )
    assert codes(found) == ["decision-taken-on-trust"]
    assert found.unresolved == ()


def test_decided_resolver_has_a_rule_of_its_own() -> None:
    edge = query()
    decided = Decision(edge.id, Verdict.ACCEPT, pods("resolver"), ports=(5353,))
    found = generated(edge, decisions=[decided], **NO_DNS)
    assert policy_of(found, "web").egress == (Rule((pods("resolver"),), (PolicyPort(Protocol.UDP, 5353),)),)


def test_dropped_unknown_peer_withholds_nothing() -> None:
    edge = an_edge("web", an_unknown())
    found = generated(edge, decisions=[Decision(edge.id, Verdict.DROP)])
    assert policy_of(found, "web").policy_types == BOTH


def test_external_peer_has_its_name_beside_the_rule() -> None:
    edge = an_edge("web", an_external("2001:db8::10", "api.example.test", "cdn.example.test"), 443)
    policy = policy_of(generated(edge, **NO_DNS), "web")
    assert policy.egress == (Rule((Peer(ip_block=IPBlock("2001:db8::10/128")),), tcp(443)),)
    assert (
        dict(policy.annotations)["netpolgen.io/names"] == "2001:db8::10/128=api.example.test,cdn.example.test"
    )


def test_rules_name_their_edges() -> None:
    into, out = an_edge("api", "web"), an_edge("web", "db")
    annotations = dict(policy_of(generated(into, out, **NO_DNS), "web").annotations)
    assert annotations == {"netpolgen.io/edges": f"ingress/1={into.id} egress/1={out.id}"}


def test_policies_are_labelled_as_ours() -> None:
    assert {policy.labels for policy in generated(default_deny=True).policies} == {
        (("app.kubernetes.io/managed-by", "netpolgen"),)
    }


def test_workload_without_usable_labels_is_refused_and_said() -> None:
    bare = a_pod("one", "10.244.1.9", owner=None, labels={})
    found = generated(objects=(*deployed("web"), bare))
    assert names(found) == ["netpolgen-allow-deployment-web"]
    assert codes(found) == ["no-usable-labels"]
    assert all(not policy.pod_selector.empty for policy in found.policies)


def test_selector_that_catches_others_is_said() -> None:
    twin = a_pod("twin-1", "10.244.1.9", labels={"app": "web", "twin": "yes"})
    owner = a_workload("twin", selector=labels_selector({"twin": "yes"}))
    found = generated(objects=(*deployed("web"), twin, owner))
    assert ("selector-collateral", "Deployment shop/web") in [(f.code, f.subject) for f in found.findings]
    assert "twin-1" in found.findings[0].message


def test_cron_jobs_policy_fits_its_next_run() -> None:
    cron = a_workload(
        "nightly",
        kind="CronJob",
        selector=None,
        template_labels={"app": "nightly", "batch.kubernetes.io/job-name": "nightly-1"},
    )
    job = a_workload("nightly-1", kind="Job", owner=an_owner("CronJob", "nightly"))
    pod = a_pod(
        "nightly-1-x", owner=an_owner("Job", "nightly-1"), labels={"app": "nightly", "job-name": "nightly-1"}
    )
    found = generated(objects=(cron, job, pod))
    assert names(found) == ["netpolgen-allow-cronjob-nightly"]
    assert spec_of(found, "nightly")["podSelector"] == {"matchLabels": {"app": "nightly"}}


def test_workload_without_a_pod_is_said_and_its_owned_ones_are_not() -> None:
    idle = a_workload("nightly", kind="CronJob")
    old = a_workload("web-4c", kind="ReplicaSet", owner=an_owner("Deployment", "web"))
    done = a_workload("import", kind="Job")
    finished = a_pod("import-1", "10.244.1.8", phase="Succeeded", owner=an_owner("Job", "import"))
    elsewhere = a_workload("far", namespace="other")
    found = generated(objects=(*deployed("web"), idle, old, done, finished, elsewhere), captured=[key("web")])
    assert [(finding.code, finding.subject) for finding in found.findings] == [
        ("workload-idle", "CronJob shop/nightly"),
        ("workload-idle", "Job shop/import"),
    ]


def test_deny_all_comes_last_and_only_when_asked_for() -> None:
    assert DEFAULT_DENY not in names(generated(an_edge()))
    found = generated(an_edge(), default_deny=True)
    assert names(found)[-1] == DEFAULT_DENY
    assert sorted(names(found)) == names(found)
    assert spec_of(found, DEFAULT_DENY) == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_captured_namespace_has_its_own_deny_all() -> None:
    objects = (*deployed("web"), *deployed("api", namespace="pay"))
    found = generated(objects=objects, captured=[key("web"), key("api", namespace="pay")], default_deny=True)
    assert [(policy.namespace, policy.name) for policy in found.policies[-2:]] == [
        ("pay", DEFAULT_DENY),
        ("shop", DEFAULT_DENY),
    ]


def test_deny_all_leaves_out_the_direction_in_which_somebody_would_be_cut_off() -> None:
    found = generated(an_edge("web", an_unknown()), default_deny=True)
    assert policy_of(found, DEFAULT_DENY).policy_types == (PolicyType.INGRESS,)
    assert "default-deny-withheld" in codes(found)


@pytest.mark.parametrize(
    ("pod", "withheld"),
    [
        (a_pod("late-1", "10.244.1.9"), True),
        (a_pod("late-1", "10.244.1.9", phase="Pending"), True),
        (a_pod("late-1", "10.244.1.9", phase="Succeeded"), False),
        (a_pod("late-1", "10.244.1.9", deleting=True), False),
        (a_pod("late-1", "172.18.0.2", host_network=True), False),
        (a_pod("late-1", "10.244.2.9", namespace="other"), False),
    ],
)
def test_deny_all_is_withheld_while_a_running_workload_was_not_captured(pod: Pod, withheld: bool) -> None:
    found = generated(objects=(*deployed("web"), pod), captured=[key("web")], default_deny=True)
    assert (DEFAULT_DENY in names(found)) is not withheld
    assert ("default-deny-withheld" in codes(found)) is withheld


def test_workload_without_selector_withholds_the_deny_all() -> None:
    bare = a_pod("one", "10.244.1.9", owner=None, labels={})
    assert DEFAULT_DENY not in names(generated(objects=(bare,), default_deny=True))


def test_deny_all_of_one_direction_can_be_asked_for() -> None:
    policy = default_deny("shop", (PolicyType.EGRESS,))
    assert policy_document(policy)["spec"] == {"podSelector": {}, "policyTypes": ["Egress"]}


def test_replicas_share_one_policy() -> None:
    second = a_pod("web-2", "10.244.1.9")
    assert len(generated(objects=(*deployed("web"), second)).policies) == 1


def test_same_name_of_two_kinds_is_two_policies() -> None:
    database = a_workload("web", kind="StatefulSet", template_labels={"app": "web-db"})
    pod = a_pod("web-0", "10.244.1.9", owner=an_owner("StatefulSet", "web"), labels={"app": "web-db"})
    assert names(generated(objects=(*deployed("web"), database, pod))) == [
        "netpolgen-allow-deployment-web",
        "netpolgen-allow-statefulset-web",
    ]


EDGES = st.lists(
    st.builds(
        an_edge,
        st.sampled_from(["web", "api", "db"]),
        st.sampled_from(
            [
                *("web", "api", "db"),
                an_external("203.0.113.10", "x.test"),
                an_unknown(),
                an_endpoint("q", namespace="n"),
            ]
        ),
        st.sampled_from([53, 80, 443]),
        protocol=st.sampled_from(Protocol),
    ),
    unique_by=lambda edge: edge.id,
    max_size=8,
)


@given(EDGES, st.integers())
def test_same_input_in_any_order_is_the_same_bytes(edges: list[Edge], seed: int) -> None:
    shuffle = random.Random(seed)
    nameservers = a_network("uid-web-1", nameservers=frozenset({address("169.254.20.10"), DNS_ADDRESS}))
    objects, other = [*THREE, *deployed("q", namespace="n"), kube_dns()], list(edges)
    first = generated(*edges, objects=objects, default_deny=True, networks=[nameservers])
    shuffle.shuffle(objects)
    shuffle.shuffle(other)
    second = generated(*other, objects=objects, default_deny=True, networks=[nameservers])
    texts = [dump_documents(map(policy_document, found.policies)) for found in (first, second)]
    assert texts[0] == texts[1]
    assert set(first.findings) == set(second.findings)


def test_deny_all_spares_the_edges_of_a_workload_that_does_not_run_now() -> None:
    ended = a_pod("job-1", "10.244.1.9", phase="Succeeded")
    found = generated(
        an_edge("job", "web"),
        objects=(*deployed("web"), a_workload("job"), ended),
        captured=[key("web")],
        default_deny=True,
    )
    assert policy_of(found, DEFAULT_DENY).policy_types == (PolicyType.INGRESS,)
    assert "default-deny-withheld" in codes(found)
