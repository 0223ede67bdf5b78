"""The Role that is printed is the Role that is needed: no more, no less, and each gap is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubectl_netpolgen.cluster.access import (
    CAPTURE_RIGHTS,
    CONFIGURATION_RIGHTS,
    DECLARED_RIGHTS,
    METADATA_RIGHTS,
    ROLE_RIGHTS,
    cluster_role,
    missing_rights,
    review,
    role,
    role_rules,
)
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.finding import Severity
from tests.cluster.fake_api import FakeApi, open_api
from tests.cluster.rights import granted_by


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def test_the_printed_role_leaves_nothing_missing(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop"))
    assert missing_rights(api, ["shop"]) == ()
    assert review(api, ["shop"]) == []


def test_a_role_of_one_namespace_says_nothing_about_another(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop"))
    findings = review(api, ["shop", "pay"])
    assert {finding.subject for finding in findings} == {"namespace pay"}
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.WARNING]


def test_the_cluster_role_leaves_nothing_missing_anywhere(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(cluster_role())
    assert missing_rights(api, [""], METADATA_RIGHTS) == ()


def test_the_roles_never_write_anything_but_the_container() -> None:
    writing = {
        (right.resource, verb)
        for right in (*ROLE_RIGHTS, *CONFIGURATION_RIGHTS, *METADATA_RIGHTS)
        for verb in right.verbs
        if verb not in ("get", "list", "watch")
    }
    assert writing == {("pods/ephemeralcontainers", "patch"), ("pods/exec", "create")}


def test_no_secret_is_ever_asked_for() -> None:
    asked = {right.resource for right in (*ROLE_RIGHTS, *METADATA_RIGHTS)}
    assert not asked & {"secrets", "configmaps"}
    assert {right.resource for right in CONFIGURATION_RIGHTS} == {"configmaps"}


def test_what_few_clusters_have_is_in_the_role_and_not_missed(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop", CAPTURE_RIGHTS))
    assert review(api, ["shop"]) == []
    assert {one.right for one in missing_rights(api, ["shop"], ROLE_RIGHTS)} == set(DECLARED_RIGHTS)


def test_config_maps_are_missed_where_they_are_wanted(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop"))
    (finding,) = review(api, ["shop"], (*CAPTURE_RIGHTS, *CONFIGURATION_RIGHTS))
    assert finding.severity is Severity.WARNING
    assert "list configmaps" in finding.message


def test_a_missing_right_is_told_with_the_rule_that_grants_it(server: FakeApi, api: Api) -> None:
    everything = granted_by(role("shop"))
    server.rights = lambda verb, target: everything(verb, target) and target.permission != "pods/exec"
    (finding,) = review(api, ["shop"])
    assert finding.severity is Severity.ERROR
    assert "create, get pods/exec (to start, collect and end captures)" in finding.message
    (document,) = load_documents(finding.way_out.split("\n", 1)[1])
    assert document["rules"] == [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}]
    assert document["metadata"]["namespace"] == "shop"


def test_one_missing_verb_asks_for_that_verb_alone(server: FakeApi, api: Api) -> None:
    everything = granted_by(role("shop"))
    server.rights = lambda verb, target: (
        everything(verb, target) and (verb, target.permission) != ("create", "pods/exec")
    )
    (finding,) = review(api, ["shop"])
    (document,) = load_documents(finding.way_out.split("\n", 1)[1])
    assert document["rules"] == [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]


def test_a_missing_list_of_owners_is_a_warning(server: FakeApi, api: Api) -> None:
    everything = granted_by(role("shop"))
    server.rights = lambda verb, target: everything(verb, target) and target.resource != "replicasets"
    (finding,) = review(api, ["shop"])
    assert finding.severity is Severity.WARNING
    assert "list, watch replicasets (to name the workload" in finding.message


def test_granting_what_the_findings_say_mends_them(server: FakeApi, api: Api) -> None:
    server.rights = lambda verb, target: False
    documents = [
        load_documents(finding.way_out.split("\n", 1)[1])[0] for finding in review(api, ["shop", "pay"])
    ]
    server.rights = granted_by(*documents)
    assert review(api, ["shop", "pay"]) == []


def test_resources_with_the_same_purpose_are_told_together(server: FakeApi, api: Api) -> None:
    everything = granted_by(role("shop"))
    server.rights = lambda verb, target: everything(verb, target) and target.group != "apps"
    (finding,) = review(api, ["shop"])
    assert finding.message == (
        "you may not list, watch replicasets, deployments, statefulsets, daemonsets "
        "(to name the workload that a pod belongs to)"
    )


def test_rules_with_equal_verbs_are_one() -> None:
    resources = [rule["resources"] for rule in role_rules(CAPTURE_RIGHTS) if rule["apiGroups"] == ["apps"]]
    assert resources == [["replicasets", "deployments", "statefulsets", "daemonsets"]]


def test_a_role_for_no_namespace_in_particular_names_none() -> None:
    assert role("")["metadata"] == {"name": "netpolgen-capture"}
