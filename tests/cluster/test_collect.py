"""Pulling from a pod, whatever happens to the connection, the pod and the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.cluster.agent import AgentLimits, AgentState
from kubectl_netpolgen.cluster.collect import AgentGone, Collector, TransferFailed
from kubectl_netpolgen.cluster.exec import ConnectionLost, ExecFailed
from kubectl_netpolgen.cluster.local_file import LocalWriteFailed
from kubectl_netpolgen.cluster.status import ApiError
from tests.cluster.agents import Shell, running_agent, shells

PACKETS = bytes(range(256)) * 40
NOW = 1_700_000_000_000_000_000


@dataclass
class Pod:
    """A pod's side of an exec, in memory."""

    files: dict[str, bytes] = field(
        default_factory=lambda: {"cap.pcap": PACKETS, "sockets": b"#npg 1 tcp\n", "tcpdump.err": b"words"}
    )
    state: str = "capturing"
    last: str = "done"
    manifest: dict[str, tuple[str, int]] | None = None
    done: bool = False
    cut: list[int] = field(default_factory=list)
    """Bytes of each next answer that arrive before the connection is lost."""
    errors: list[Exception] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    mangle: Callable[[bytes], bytes] = lambda answer: answer

    def execute(
        self, command: Sequence[str], *, sink: Callable[[bytes], None], limit: int, deadline: float
    ) -> None:
        """Answer as pull.sh does."""
        mode, _, most, _, *offsets = command[4:]
        self.modes.append(mode)
        if self.errors:
            raise self.errors.pop(0)
        self.done = self.done or mode in ("stop", "halt")
        answer = self.mangle(self._answer(mode, int(most), [int(offset) for offset in offsets]))
        if self.cut:
            sink(answer[: self.cut.pop(0)])
            raise ConnectionLost("the connection was lost")
        for start in range(0, len(answer), 1000):
            sink(answer[start : start + 1000])

    def _answer(self, mode: str, most: int, offsets: list[int]) -> bytes:
        answer = b"npg1 1700000002.5 200.25\n"
        status = {"state": self.last if self.done else self.state, "listening": 190.25, "reason": "client"}
        answer += _section("status.json", json.dumps(status).encode(), 0, 8192)
        answer += _section("manifest", self._manifest() if self.done else b"", 0, 4096)
        if mode in ("pull", "stop"):
            for (name, content), offset in zip(self.files.items(), offsets, strict=True):
                answer += _section(name, content, offset, most if name != "tcpdump.err" else 65536)
        return answer + b"end\n"

    def _manifest(self) -> bytes:
        entries = self.manifest
        if entries is None:
            entries = {
                name: (hashlib.sha256(content).hexdigest(), len(content))
                for name, content in self.files.items()
            }
        return "".join(f"{digest} {size} {name}\n" for name, (digest, size) in entries.items()).encode()


def _section(name: str, content: bytes, offset: int, most: int) -> bytes:
    sent = content[offset : offset + most]
    return f"{name} {len(content)} {offset} {len(sent)}\n".encode() + sent


def collector(pod: Pod, folder: Path, *, limits: AgentLimits | None = None) -> Collector:
    """A collector of this pod whose pauses take no time."""
    paths = (folder / "run.pcap", folder / "run.sockets", folder / "run.stderr")
    made = Collector.of(
        pod.execute, "1a2b3c4d", paths=paths, limits=limits or AgentLimits(), clock=lambda: NOW
    )
    made.pause = lambda seconds: None
    return made


def kept(made: Collector) -> bytes:
    """The packets under their last name."""
    path = made.files["cap.pcap"].keep()
    return path.read_bytes() if path else b""


def test_increments_and_the_rest_make_the_whole(tmp_path: Path) -> None:
    pod = Pod()
    pod.files["cap.pcap"] = PACKETS[:100]
    made = collector(pod, tmp_path)
    assert not made.pull()
    assert made.received == 116
    pod.files["cap.pcap"] = PACKETS
    assert made.finish() == ""
    assert kept(made) == PACKETS
    assert pod.modes == ["pull", "stop"]


def test_an_agent_that_is_done_is_noticed_by_a_pull(tmp_path: Path) -> None:
    assert collector(Pod(done=True), tmp_path).pull()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=12_000), max_size=4))
def test_a_connection_lost_anywhere_costs_nothing(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    made = collector(Pod(cut=cuts), tmp_path_factory.mktemp("bundle"))
    assert made.finish() == ""
    assert kept(made) == PACKETS


def test_progress_renews_the_tries(tmp_path: Path) -> None:
    made = collector(Pod(cut=[1500] * 7), tmp_path)
    assert made.finish() == ""


def test_a_connection_that_never_works_gives_up(tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match="5 tries"):
        collector(Pod(cut=[0] * 100), tmp_path).finish()


def test_what_arrived_before_the_end_is_kept(tmp_path: Path) -> None:
    pod = Pod(errors=[])
    made = collector(pod, tmp_path)
    made.pull()
    pod.errors = [ApiError('pods "x" not found', code=404)]
    with pytest.raises(AgentGone):
        made.finish()
    assert kept(made) == PACKETS


@pytest.mark.parametrize(
    ("error", "pod_absent"),
    [
        (ApiError("pods not found", code=404), True),
        (ApiError('unable to upgrade connection: container not found ("npg-1")', code=500), False),
        (ApiError("container npg-1 is not running", code=400), False),
        (ExecFailed("exit 91", exit_code=91, stderr=""), False),
    ],
)
def test_a_pod_container_or_directory_that_is_no_more_is_gone(
    tmp_path: Path, error: Exception, pod_absent: bool
) -> None:
    with pytest.raises(AgentGone) as caught:
        collector(Pod(errors=[error]), tmp_path).pull()
    assert caught.value.pod_absent is pod_absent


def test_missing_rights_are_not_asked_for_again(tmp_path: Path) -> None:
    pod = Pod(errors=[ApiError("pods is forbidden", code=403)] * 3)
    with pytest.raises(TransferFailed, match="forbidden"):
        collector(pod, tmp_path).pull()
    assert len(pod.modes) == 1


def test_a_server_that_stumbles_is_asked_again(tmp_path: Path) -> None:
    made = collector(Pod(errors=[ApiError("dial tcp: i/o timeout", code=500)] * 2), tmp_path)
    assert made.finish() == ""


def test_bytes_that_changed_on_the_way_are_fetched_once_more(tmp_path: Path) -> None:
    pod = Pod()
    wrong = [True]

    def flip(answer: bytes) -> bytes:
        return answer.replace(b"\x10\x11", b"\x10\x10") if wrong and wrong.pop() else answer

    pod.mangle = flip
    made = collector(pod, tmp_path)
    assert made.finish() == ""
    assert kept(made) == PACKETS
    assert pod.modes == ["stop", "stop"]


def test_bytes_that_stay_wrong_are_said_and_kept(tmp_path: Path) -> None:
    pod = Pod(mangle=lambda answer: answer.replace(b"\x10\x11", b"\x10\x10"))
    made = collector(pod, tmp_path)
    assert "SHA-256" in made.finish()
    assert made.files["cap.pcap"].offset == len(PACKETS)


def test_a_file_that_was_replaced_is_fetched_from_its_start(tmp_path: Path) -> None:
    pod = Pod()
    made = collector(pod, tmp_path)
    made.pull()
    pod.files["cap.pcap"] = b"new"
    assert made.finish() == ""
    assert kept(made) == b"new"


def test_more_than_one_request_fetches_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_netpolgen.cluster.collect.REMAINDER", 3000)
    pod = Pod()
    made = collector(pod, tmp_path)
    assert made.finish() == ""
    assert pod.modes == ["stop", "pull", "pull", "pull"]


def test_a_size_that_no_capture_can_have_is_not_believed(tmp_path: Path) -> None:
    limits = AgentLimits(packets=1, snap_length=1000)
    made = collector(Pod(), tmp_path, limits=limits)
    assert "bytes here" in made.finish()
    assert made.files["cap.pcap"].offset == 24 + 1016
    assert len(kept(made)) == 24 + 1016


def test_a_size_that_is_a_lie_ends_too(tmp_path: Path) -> None:
    entries = dict.fromkeys(("cap.pcap", "sockets", "tcpdump.err"), ("a" * 64, 10**14))
    assert "in the pod" in collector(Pod(manifest=entries), tmp_path).finish()


def test_a_manifest_without_hashes_verifies_nothing(tmp_path: Path) -> None:
    pod = Pod()
    pod.manifest = {name: ("-", len(content)) for name, content in pod.files.items()}
    assert "no sha256sum" in collector(pod, tmp_path).finish()


def test_a_manifest_that_lacks_a_file_verifies_nothing(tmp_path: Path) -> None:
    pod = Pod()
    pod.manifest = {"cap.pcap": (hashlib.sha256(PACKETS).hexdigest(), len(PACKETS))}
    assert "lacks sockets, tcpdump.err" in collector(pod, tmp_path).finish()


def test_an_answer_that_ends_early_is_not_mixed_into_the_file(tmp_path: Path) -> None:
    short = [True]
    pod = Pod(mangle=lambda answer: answer[:5000] if short and short.pop() else answer)
    made = collector(pod, tmp_path)
    assert made.finish() == ""
    assert kept(made) == PACKETS


def test_clocks_of_the_node_are_measured_against_ours(tmp_path: Path) -> None:
    made = collector(Pod(), tmp_path)
    status = made.await_listening(5)
    assert status is not None and status.state is AgentState.CAPTURING
    assert made.clock_offset == 2.5
    assert made.listening_since == NOW - 10_000_000_000


def test_an_agent_that_failed_meanwhile_is_quoted(tmp_path: Path) -> None:
    pod = Pod(last="failed", manifest={})
    with pytest.raises(TransferFailed, match="client"):
        collector(pod, tmp_path).finish()


def test_a_release_of_what_is_gone_is_no_error(tmp_path: Path) -> None:
    pod = Pod(errors=[ApiError("not found", code=404), ApiError("forbidden", code=403)])
    made = collector(pod, tmp_path)
    made.release()
    with pytest.raises(ApiError):
        made.release()


def test_a_release_that_the_agent_obeys_at_once_is_no_error(tmp_path: Path) -> None:
    killed, failed = (ExecFailed(f"exit status {code}", exit_code=code, stderr="") for code in (137, 1))
    pod = Pod(errors=[killed, failed])
    made = collector(pod, tmp_path)
    made.release()
    with pytest.raises(ExecFailed):
        made.release()


def test_a_full_disk_ends_the_transfer_at_once(tmp_path: Path) -> None:
    pod = Pod()
    made = collector(pod, tmp_path / "missing")
    with pytest.raises(LocalWriteFailed):
        made.finish()
    assert pod.modes == ["stop"]


@pytest.mark.parametrize("shell", shells(), ids=lambda shell: shell.name)
def test_a_real_agent_is_collected_bit_for_bit(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        made = agent.collector()
        status = made.await_listening(5)
        assert status is not None and status.state is AgentState.CAPTURING
        agent.packet(PACKETS)
        assert not made.pull()
        agent.packet(b"more")
        losses = [60, 200]
        agent.lose = lambda answer: answer[: losses.pop(0)] if losses else None
        assert made.finish() == ""
        assert made.status is not None and made.status.reason == "client"
        assert (made.status.captured, made.status.received, made.status.dropped) == (2, 3, 1)
        made.release()
        assert agent.process.wait(10) == 0
        assert kept(made)[24:] == PACKETS + b"more"
        with pytest.raises(AgentGone):
            made.pull()


@pytest.mark.parametrize("shell", shells(), ids=lambda shell: shell.name)
def test_waiting_tells_of_failure_and_lets_the_agent_go(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, FAKE_TCPDUMP="drops") as agent:
        status = agent.collector().await_listening(5)
        assert status is not None and status.state is AgentState.FAILED
        assert agent.process.wait(10) == 1


@pytest.mark.parametrize("shell", shells(), ids=lambda shell: shell.name)
def test_waiting_lasts_until_tcpdump_listens(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, FAKE_TCPDUMP="late") as agent:
        agent.wait_for(lambda: agent.status is not None)
        status = agent.collector().await_listening(5)
        assert status is not None and status.state is AgentState.CAPTURING


@pytest.mark.parametrize("shell", shells(), ids=lambda shell: shell.name)
def test_halting_waits_for_nothing_and_stops_the_agent(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        agent.collector().halt(5.0)
        agent.wait_for(lambda: (agent.files / "manifest").exists())
