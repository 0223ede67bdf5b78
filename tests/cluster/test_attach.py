"""The container's shape, and what a refusal means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentLimits, script
from kubectl_netpolgen.cluster.attach import (
    DEFAULT_IMAGE,
    AgentContainer,
    Refusal,
    classify_refusal,
    security_context,
    skip_reason,
)
from kubectl_netpolgen.cluster.status import ApiError, Unreachable
from kubectl_netpolgen.model.bundle import Rung
from kubectl_netpolgen.model.errors import ClusterError

CONTAINER = AgentContainer(run="1a2b3c4d", image=DEFAULT_IMAGE, limits=AgentLimits(), seconds=90)


def entry(rung: Rung, container: AgentContainer = CONTAINER) -> dict[str, Any]:
    """The one ephemeral container of a patch."""
    (only,) = container.body(rung)["spec"]["ephemeralContainers"]
    assert isinstance(only, dict)
    return only


def test_strict_adds_one_capability_to_none_with_the_default_image() -> None:
    assert security_context(Rung.STRICT, DEFAULT_IMAGE) == {
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_strict_lets_other_images_keep_their_user() -> None:
    capabilities = security_context(Rung.STRICT, "example.test/tcpdump:1")["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["NET_RAW", "SETUID", "SETGID"]}


@pytest.mark.parametrize("image", [DEFAULT_IMAGE, "example.test/tcpdump:1"])
def test_baseline_adds_nothing_and_keeps_what_tcpdump_needs(image: str) -> None:
    capabilities = security_context(Rung.BASELINE, image)["capabilities"]
    assert "add" not in capabilities
    assert not {"NET_RAW", "SETUID", "SETGID", "ALL"} & set(capabilities["drop"])


@pytest.mark.parametrize("rung", Rung)
def test_the_entry_holds_only_fields_that_ephemeral_containers_may_have(rung: Rung) -> None:
    assert set(entry(rung)) == {
        "name",
        "image",
        "imagePullPolicy",
        "command",
        "env",
        "terminationMessagePolicy",
        "securityContext",
    }
    assert "targetContainerName" not in json.dumps(entry(rung))


def test_filter_and_numbers_are_environment_and_never_script() -> None:
    found = entry(Rung.STRICT)
    values = {item["name"]: item["value"] for item in found["env"]}
    assert found["command"] == ["sh", "-c", script("agent.sh")]
    assert values["NPG_FILTER"] == script("capture.bpf")
    assert values["NPG_DUR"] == "90"
    assert all(isinstance(value, str) for value in values.values())


def test_each_rung_has_a_name_and_a_directory_of_its_own() -> None:
    assert [CONTAINER.name(rung) for rung in Rung] == ["npg-1a2b3c4d", "npg-1a2b3c4d-2"]
    runs = {next(v["value"] for v in entry(rung)["env"] if v["name"] == "NPG_RUN") for rung in Rung}
    assert runs == {"1a2b3c4d", "1a2b3c4d-2"}


@pytest.mark.parametrize(
    ("code", "message", "details", "meaning"),
    [
        (
            403,
            'pods "w1" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities',
            {"name": "w1"},
            Refusal.NEXT_RUNG,
        ),
        (
            403,
            'pods "w1" is forbidden: unable to validate against any security context constraint: [...]',
            {"name": "w1"},
            Refusal.NEXT_RUNG,
        ),
        (
            400,
            'admission webhook "validate.kyverno.svc-fail" denied the request: drop ALL',
            {},
            Refusal.NEXT_RUNG,
        ),
        (
            403,
            'pods "w1" is forbidden: User "dev" cannot patch resource "pods/ephemeralcontainers"',
            {"name": "w1"},
            Refusal.RIGHTS,
        ),
        (401, "Unauthorized", {}, Refusal.RIGHTS),
        (403, 'pods "w1" is forbidden: exceeded quota: small', {"name": "w1"}, Refusal.INVALID),
        (404, 'pods "w1" not found', {"name": "w1"}, Refusal.VANISHED),
        (404, "the server could not find the requested resource", {}, Refusal.UNSUPPORTED),
        (
            422,
            'Pod "w1" is invalid: static pods do not support ephemeral containers',
            {"name": "w1"},
            Refusal.INVALID,
        ),
        (
            422,
            'Pod "w1" is invalid: existing ephemeral containers "npg-1" may not be changed',
            {"name": "w1"},
            Refusal.EXISTS,
        ),
        (409, "the object has been modified; please apply your changes", {"name": "w1"}, Refusal.TRANSIENT),
        (429, "too many requests", {}, Refusal.TRANSIENT),
        (500, "etcdserver: request timed out", {}, Refusal.TRANSIENT),
        (
            400,
            'admission webhook "x" does not support dry run',
            {},
            Refusal.UNDECIDED,
        ),
    ],
)
def test_what_a_refusal_means(code: int, message: str, details: dict[str, str], meaning: Refusal) -> None:
    assert classify_refusal(ApiError(message, code=code, details=details)) is meaning


def test_no_answer_is_worth_another_try_and_the_unknown_is_not() -> None:
    assert classify_refusal(Unreachable("refused")) is Refusal.TRANSIENT
    assert classify_refusal(ClusterError("what")) is Refusal.INVALID


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "deleted"),
        ({"status": {"phase": "Succeeded"}}, "ended"),
        ({"status": {"phase": "Failed"}}, "ended"),
        ({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, "static"),
        ({"spec": {"hostNetwork": True}}, "node's network"),
        ({"spec": {"os": {"name": "windows"}}}, "Windows"),
        ({"spec": {"nodeSelector": {"kubernetes.io/os": "windows"}}}, "Windows"),
        ({"spec": {"nodeName": "virtual-node-aci-linux"}}, "virtual node"),
    ],
)
def test_pods_that_cannot_be_captured_are_left_out_with_a_reason(pod: dict[str, Any], reason: str) -> None:
    assert reason in skip_reason(pod)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [({"kubernetes.io/os": "windows"}, "Windows"), ({"type": "virtual-kubelet"}, "virtual node")],
)
def test_the_node_may_be_the_reason(labels: dict[str, str], reason: str) -> None:
    assert reason in skip_reason({"spec": {"nodeName": "n"}}, {"metadata": {"labels": labels}})


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"metadata": None, "spec": None, "status": None},
        {"spec": {"os": {"name": "linux"}, "nodeName": "n"}, "status": {"phase": "Running"}},
        {"status": {"phase": "Pending"}},
    ],
)
def test_other_pods_are_taken(pod: dict[str, Any]) -> None:
    assert skip_reason(pod, {"metadata": {"labels": {"kubernetes.io/os": "linux"}}}) == ""
