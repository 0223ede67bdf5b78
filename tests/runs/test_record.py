"""Whole runs: a fake API server in front of agents that really run."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.model.bundle import PodCapture, PodState, Rung
from kubectl_netpolgen.model.errors import ClusterError
from kubectl_netpolgen.runs.record import Recording, RecordingBroken
from kubectl_netpolgen.runs.schedule import Timing
from tests.cluster.fake_api.answers import Answer, refusal
from tests.cluster.fake_api.exec_wire import Behaviour, resets
from tests.runs.fake_pods import NAMESPACE, RUN, Stage, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    """A fake cluster with nothing in it yet."""
    with stage(tmp_path) as made:
        yield made


def by_name(recording: Recording) -> dict[str, PodCapture]:
    """The captures by their pods' names."""
    return {capture.name: capture for capture in recording.pods}


def journal(scene: Stage) -> list[dict[str, Any]]:
    """The lines of session.jsonl."""
    return [json.loads(line) for line in (scene.writer.root / "session.jsonl").read_text().splitlines()]


def is_strict(container: Mapping[str, Any]) -> bool:
    """True for the first rung's container."""
    return "add" in container["securityContext"]["capabilities"]


def test_every_pod_is_captured_verified_and_let_go(scene: Stage) -> None:
    for number in range(5):
        scene.node.pod(f"w{number}")
    recording = scene.record()
    assert len(recording.pods) == 5
    for capture in recording.pods:
        assert (capture.state, capture.rung, capture.verified) == (PodState.RELEASED, Rung.STRICT, True)
        assert (capture.entries, capture.stopped_by, capture.dropped) == (1, "client", 1)
        content = (scene.writer.root / capture.pcap).read_bytes()
        assert capture.sha256 == hashlib.sha256(content).hexdigest()
        assert "#npg" in (scene.writer.root / capture.sockets).read_text()
        assert recording.started - 20e9 < capture.started <= recording.started
        assert abs(capture.clock_offset) < 1.0
    scene.wait_for(lambda: not scene.node.running())
    assert {finding.code for finding in recording.findings} == {"packets-dropped"}
    assert not list(scene.writer.root.rglob("*.part"))


def test_the_journal_tells_every_change(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.record()
    lines = journal(scene)
    assert [line["state"] for line in lines if line.get("pod") == f"{NAMESPACE}/w1"] == [
        "patched",
        "capturing",
        "pulling",
        "verified",
        "released",
    ]
    assert [line["state"] for line in lines if "pod" not in line] == [
        "run-started",
        "run-all-capturing",
        "run-duration-over",
        "run-collected",
    ]
    assert scene.view.phases == ["attaching", "capturing", "collecting"]


def test_objects_and_events_of_the_run_are_in_the_bundle(scene: Stage) -> None:
    scene.node.pod("w1")
    recording = scene.record()
    objects = (scene.writer.root / "cluster" / "objects.jsonl").read_text()
    assert '"name":"w1"' in objects.replace(" ", "")
    assert (scene.writer.root / "cluster" / "events.jsonl").exists()
    assert any(name.startswith("pods") for name in recording.readable)


def test_a_rung_that_the_image_cannot_use_costs_one_entry_in_all(scene: Stage) -> None:
    scene.node.tcpdump = lambda pod, container: "drops" if is_strict(container) else "listens"
    for number in range(4):
        scene.node.pod(f"w{number}")
    recording = scene.record()
    assert {capture.rung for capture in recording.pods} == {Rung.BASELINE}
    assert sorted(capture.entries for capture in recording.pods) == [1, 1, 1, 2]
    (finding,) = (finding for finding in recording.findings if finding.code == "rung-fallback")
    assert "Couldn't change to 'root'" in finding.message


def test_admission_is_asked_once_for_each_template(scene: Stage) -> None:
    scene.api.admission = lambda pod, container: (
        'violates PodSecurity "baseline:latest": must not include "NET_RAW"' if is_strict(container) else ""
    )
    owner = {"kind": "ReplicaSet", "name": "r", "uid": "u1", "controller": True, "apiVersion": "apps/v1"}
    for number in range(6):
        scene.node.pod(f"w{number}", metadata={"ownerReferences": [owner]})
    recording = scene.record()
    assert {(capture.rung, capture.entries) for capture in recording.pods} == {(Rung.BASELINE, 1)}
    dry = [request for request in scene.api.received if request.query.get("dryRun")]
    assert len(dry) == 2


def test_a_namespace_that_admits_nothing_says_why(scene: Stage) -> None:
    scene.api.admission = lambda pod, container: 'violates PodSecurity "restricted:latest": runAsNonRoot'
    scene.node.pod("w1")
    (capture,) = scene.record(duration=60).pods
    assert (capture.state, capture.entries) == (PodState.REJECTED, 0)
    assert "restricted" in capture.reason


def test_a_tcpdump_that_never_captures_is_quoted(scene: Stage) -> None:
    scene.node.tcpdump = lambda pod, container: "refused"
    scene.node.pod("w1")
    (capture,) = scene.record(duration=60).pods
    assert (capture.state, capture.entries) == (PodState.START_FAILED, 2)
    assert "permission to perform this capture" in capture.reason


def test_an_image_that_cannot_be_pulled_is_given_up_after_two_nodes(scene: Stage) -> None:
    scene.node.waiting = lambda pod, container: "ErrImagePull"
    for number in range(6):
        scene.node.pod(f"w{number}", node=f"node{number % 3}")
    recording = scene.record(duration=60, timing=Timing(pilot=5.0, pull_grace=0.3))
    assert sum(capture.entries for capture in recording.pods) == 2
    assert all("ErrImagePull: so says the kubelet" in capture.reason for capture in recording.pods)
    assert {finding.code for finding in recording.findings} == {"pod-not-captured", "agent-left-behind"}
    lost = [finding for finding in recording.findings if finding.code == "pod-not-captured"]
    assert all("--image" in finding.way_out for finding in lost)


def test_an_image_that_is_no_image_is_given_up_at_once(scene: Stage) -> None:
    scene.node.waiting = lambda pod, container: "InvalidImageName"
    scene.node.pod("w1")
    scene.node.pod("w2")
    recording = scene.record(duration=60)
    assert sum(capture.entries for capture in recording.pods) == 1


def test_a_container_that_never_starts_does_not_hold_the_run_up(scene: Stage) -> None:
    scene.node.waiting = lambda pod, container: "ContainerCreating" if pod == "w2" else ""
    scene.node.pod("w1")
    scene.node.pod("w2")
    captures = by_name(scene.record(timing=Timing(pilot=0.2, start=0.5)))
    assert captures["w1"].verified
    assert captures["w2"].state is PodState.START_FAILED
    assert "did not start in time: ContainerCreating" in captures["w2"].reason


def test_pods_that_cannot_be_captured_are_left_out_and_named(scene: Stage) -> None:
    scene.node.pod("host", spec={"hostNetwork": True})
    scene.node.pod("done", phase="Succeeded")
    scene.node.pod("w1")
    recording = scene.record()
    captures = by_name(recording)
    assert captures["host"].state is captures["done"].state is PodState.SKIPPED
    assert captures["w1"].verified
    assert sorted(f.subject for f in recording.findings if f.code == "pod-skipped") == [
        f"Pod {NAMESPACE}/done",
        f"Pod {NAMESPACE}/host",
    ]


def test_missing_rights_are_that_pods_reason(scene: Stage) -> None:
    scene.node.pod("w1")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/w1/ephemeralcontainers"
    words = 'pods "w1" is forbidden: User "dev" cannot patch'
    scene.api.plan("PATCH", path, refusal(403, "Forbidden", words))
    (capture,) = scene.record(duration=60).pods
    assert capture.state is PodState.REJECTED
    assert "no rights" in capture.reason


def test_a_patch_whose_answer_was_lost_is_not_made_twice(scene: Stage) -> None:
    scene.node.pod("w1")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/w1/ephemeralcontainers"
    scene.api.plan("PATCH", path, refusal(500, "InternalError", "etcdserver: request timed out"))
    (capture,) = scene.record().pods
    assert (capture.state, capture.entries) == (PodState.RELEASED, 1)


def test_a_pod_that_appears_during_the_run_is_captured_from_then_on(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.at("capturing", lambda: scene.node.pod("w2"))
    captures = by_name(scene.record(duration=2.0))
    assert captures["w2"].verified
    assert captures["w2"].started > captures["w1"].started


def test_a_pending_pod_is_attached_and_not_waited_for(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.node.pod("w2", phase="Pending", node="")
    captures = by_name(scene.record())
    assert captures["w1"].verified
    assert captures["w2"].state is PodState.START_FAILED
    assert captures["w2"].entries == 1


def test_a_pod_that_leaves_is_collected_at_once(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.node.pod("w2")
    scene.at("capturing", lambda: scene.node.delete("w1"))
    recording = scene.record(duration=2.0)
    lines = journal(scene)
    over = next(line["time"] for line in lines if line["state"] == "run-duration-over")
    released = next(
        line["time"]
        for line in lines
        if line.get("pod") == f"{NAMESPACE}/w1" and line["state"] == PodState.RELEASED.value
    )
    assert released < over
    assert all(capture.verified for capture in recording.pods)


def test_a_pod_that_vanished_leaves_what_had_arrived(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.node.pod("w2")

    def kill() -> None:
        scene.node.on_exec = lambda request: gone() if request.pod == "w1" else None
        scene.api.store.delete("Pod", "w1", namespace=NAMESPACE)

    def gone() -> Behaviour:
        return lambda wire: wire.send(
            wire.message(3, b'{"status": "Failure", "code": 404, "message": "pod not found"}'),
            wire.close(),
        )

    scene.at("capturing", lambda: threading.Timer(0.5, kill).start())
    captures = by_name(scene.record(duration=1.5, timing=Timing(pull_interval=0.1)))
    assert captures["w1"].state is PodState.GONE
    assert "deleted" in captures["w1"].reason
    assert (scene.writer.root / captures["w1"].pcap).stat().st_size == 24
    assert captures["w2"].verified


def test_connections_that_break_cost_nothing(scene: Stage) -> None:
    scene.node.pod("w1")
    broken = [40, 400]
    scene.node.on_exec = lambda request: (
        resets(b"npg1 1700000000.5 5.5\n"[: broken.pop()]) if "stop" in request.command and broken else None
    )
    (capture,) = scene.record().pods
    assert capture.verified
    assert not broken


def test_an_interrupt_stops_and_collects(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.at("capturing", scene.interrupted.set)
    (capture,) = scene.record(duration=600).pods
    assert capture.state is PodState.RELEASED


def test_a_second_interrupt_leaves_at_once_and_says_what_runs(scene: Stage) -> None:
    scene.node.pod("w1")

    def leave() -> None:
        scene.interrupted.set()
        scene.abandoned.set()

    scene.at("capturing", leave)
    (capture,) = scene.record(duration=600).pods
    assert capture.state is PodState.TRANSFER_FAILED
    assert f"container npg-{RUN}" in scene.view.said[0]
    assert "stops capturing by" in scene.view.said[0]
    assert f"kubectl netpolgen clean -n {NAMESPACE}`" in scene.view.said[1]
    files = scene.node.directory / "w1" / f"npg-{RUN}" / "base" / f"npg-{RUN}"
    scene.wait_for(lambda: (files / "manifest").exists())


def test_an_interrupt_while_attaching_is_heard(scene: Stage) -> None:
    scene.node.waiting = lambda pod, container: "ContainerCreating"
    scene.node.pod("w1")
    scene.view.on_state = lambda name, state: scene.interrupted.set()
    recording = scene.record(duration=600, limits=AgentLimits(lease=70, linger=30))
    assert [capture.state for capture in recording.pods] == [PodState.START_FAILED]
    (left,) = [finding for finding in recording.findings if finding.code == "agent-left-behind"]
    assert "1m40s after its start" in left.message
    assert "run-all-capturing" not in {line["state"] for line in journal(scene)}


def test_a_full_disk_stops_the_run_and_keeps_what_arrived(scene: Stage) -> None:
    scene.node.pod("w1")

    def fill() -> None:
        (folder,) = (scene.writer.root / "captures").iterdir()
        (folder / f"{RUN}.pcap.part").symlink_to("/dev/full")

    scene.at("capturing", fill)
    with pytest.raises(RecordingBroken, match="No space left on device") as caught:
        scene.record(duration=600, timing=Timing(pull_interval=0.1))
    (capture,) = caught.value.recording.pods
    assert capture.state is PodState.TRANSFER_FAILED
    assert "stops capturing by" in scene.view.said[-2]


def test_only_pods_that_the_selector_takes_are_captured(scene: Stage) -> None:
    # The server is the one that reads selectors; this one answers as told.
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    chosen = json.dumps({"kind": "PodList", "items": [scene.node.pod("w1")], "metadata": {}}).encode()
    scene.api.plan("GET", path, Answer(body=chosen))
    scene.api.plan("GET", path, Answer(body=b'{"kind": "PodList", "items": [], "metadata": {}}'))
    scene.node.pod("w2")
    scene.at("capturing", lambda: scene.node.pod("w3"))
    captures = by_name(scene.record(selector="app=w1", duration=1.0))
    assert set(captures) == {"w1"}
    asked = [request.query for request in scene.api.received if "labelSelector" in request.query]
    assert [query.get("fieldSelector") for query in asked] == [None, ["metadata.name=w3"]]


def test_an_empty_namespace_ends_at_once(scene: Stage) -> None:
    assert scene.record(duration=600).pods == ()


def test_pods_that_may_not_be_listed_are_an_error_with_a_way_out(scene: Stage) -> None:
    scene.api.rights = lambda verb, target: target.resource != "pods"
    with pytest.raises(ClusterError, match=NAMESPACE) as caught:
        scene.record()
    assert "rbac" in caught.value.way_out


def test_the_limits_reach_the_agent(scene: Stage) -> None:
    scene.node.pod("w1")
    scene.record(limits=AgentLimits(lease=77), duration=0.2)
    (request, *_) = (request for request in scene.api.received if request.method == "PATCH")
    (container,) = json.loads(request.body)["spec"]["ephemeralContainers"]
    values = {item["name"]: item["value"] for item in container["env"]}
    assert values["NPG_LEASE"] == "77"
    assert int(values["NPG_DUR"]) > 180


@pytest.mark.parametrize("asked", [False, True])
def test_configuration_is_read_only_when_it_is_asked_for(scene: Stage, asked: bool) -> None:
    ports = {"ports": [{"port": 80}], "clusterIP": "10.96.0.10"}
    scene.api.store.put("Service", "orders", namespace=NAMESPACE, spec=ports)
    text = "url: http://user:secret@orders/x\npassword: secret\n"
    scene.api.store.put("ConfigMap", "conf", namespace=NAMESPACE, data={"app.yaml": text})
    env = [{"name": "URL", "value": "http://user:secret@orders/x"}, {"name": "KEY", "value": "secret"}]
    scene.node.pod("w1", spec={"containers": [{"name": "c", "env": env}]})
    recording = scene.record(duration=0.2, configuration=asked)
    written = (scene.writer.root / "cluster" / "objects.jsonl").read_text()
    assert "secret" not in written + (scene.writer.root / "cluster" / "events.jsonl").read_text()
    assert ("configmaps:shop" in recording.readable) is asked
    assert written.count("orders.shop.svc:80") == (2 if asked else 0)
    paths = [request.path for request in scene.api.received]
    assert any("configmaps" in path for path in paths) is asked
    assert not any("/secrets" in path for path in paths)
