"""From an agent to settled files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kubectl_netpolgen.cluster.exec import ConnectionLost
from kubectl_netpolgen.cluster.status import ApiError
from kubectl_netpolgen.model.bundle import PodState
from kubectl_netpolgen.runs.collecting import Gatherer
from tests.runs.factories import RUN, UID, a_journal, attached

FILES = {"cap.pcap": b"packets", "sockets": b"tables", "tcpdump.err": b"words"}


def answer(mode: str, *, wrong: bool = False, done: bool = True) -> bytes:
    """What an agent with these files says."""
    state = b'{"state": "done", "reason": "client"}' if done else b'{"state": "capturing"}'
    manifest = b"".join(
        (("0" * 64 if wrong else hashlib.sha256(content).hexdigest()) + f" {len(content)} {name}\n").encode()
        for name, content in FILES.items()
    )
    text = b"npg1 1700000000.0 5.0\nstatus.json %d 0 %d\n%b" % (len(state), len(state), state)
    if done:
        text += b"manifest %d 0 %d\n%b" % (len(manifest), len(manifest), manifest)
    if mode != "release":
        for name, content in FILES.items():
            text += f"{name} {len(content)} 0 {len(content)}\n".encode() + content
    return text + b"end\n"


def test_a_finished_pod_is_verified_and_its_files_have_their_names(tmp_path: Path) -> None:
    journal, view = a_journal(tmp_path / "bundle")
    session = attached(journal, answer)
    Gatherer(journal).finish(session)
    capture = session.capture()
    assert (capture.state, capture.verified, capture.bytes) == (PodState.VERIFIED, True, 18)
    assert capture.pcap == f"captures/{UID}/{RUN}.pcap"
    assert (journal.writer.root / capture.sockets).read_bytes() == b"tables"
    folder = journal.writer.root / "captures" / UID
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{RUN}.pcap",
        f"{RUN}.sockets",
        f"{RUN}.status.json",
        f"{RUN}.stderr",
    ]
    assert [state for _, state in view.states] == [PodState.PULLING, PodState.VERIFIED]


def test_files_that_stay_wrong_are_marked(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, lambda mode: answer(mode, wrong=True))
    Gatherer(journal).finish(session)
    capture = session.capture()
    assert (capture.state, capture.verified) == (PodState.SUSPECT, False)
    assert capture.pcap.endswith(".pcap.suspect")


def test_a_lost_pod_keeps_what_arrived_and_the_kubelets_words(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    replies: list[bytes | Exception] = [answer("pull", done=False), ApiError("container not found", code=500)]
    session = attached(journal, lambda mode: replies.pop(0))
    statuses = [
        {"name": f"npg-{RUN}", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
    ]
    session.pod = {**session.pod, "status": {"ephemeralContainerStatuses": statuses}}
    gatherer = Gatherer(journal)
    gatherer.pull(session)
    assert session.capture().state is PodState.CAPTURING and not session.agent_done
    gatherer.pull(session)
    assert session.capture().state is PodState.GONE
    assert "18 bytes had arrived (OOMKilled)" in session.reason
    assert (journal.writer.root / session.capture().pcap).read_bytes() == b"packets"


def test_a_pod_that_the_server_has_no_more_was_deleted_whatever_the_watch_knows(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    replies: list[bytes | Exception] = [answer("pull", done=False), ApiError('pods "w1" not found', code=404)]
    session = attached(journal, lambda mode: replies.pop(0))
    gatherer = Gatherer(journal)
    gatherer.pull(session)
    assert not session.absent
    gatherer.pull(session)
    assert session.capture().state is PodState.GONE
    assert session.reason.startswith("the pod was deleted; 18 bytes had arrived")


def test_a_pull_that_fails_is_said_and_costs_nothing(tmp_path: Path) -> None:
    journal, view = a_journal(tmp_path / "bundle")
    session = attached(journal, lambda mode: ConnectionLost("reset"))
    Gatherer(journal).pull(session)
    assert session.state is PodState.CAPTURING
    assert "will be repeated: reset" in view.said[0]


def test_tries_that_are_used_up_are_a_failed_transfer(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, lambda mode: ConnectionLost("reset"))
    Gatherer(journal).finish(session)
    assert session.state is PodState.TRANSFER_FAILED
    assert session.capture().pcap == ""


def test_a_release_moves_only_what_was_verified(tmp_path: Path) -> None:
    journal, view = a_journal(tmp_path / "bundle")
    session = attached(journal, answer, verified=True)
    Gatherer(journal).release(session)
    assert session.state is PodState.RELEASED
    other_journal, view = a_journal(tmp_path / "other")
    other = attached(other_journal, lambda mode: ConnectionLost("reset"), verified=True)
    other.state = PodState.VERIFIED
    Gatherer(other_journal).release(other)
    assert other.state is PodState.VERIFIED
    assert "ends by itself" in view.said[0]


def test_a_session_that_was_left_is_settled_no_more(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, answer, left=True)
    Gatherer(journal).settle(session, PodState.VERIFIED)
    assert session.state is PodState.CAPTURING
    Gatherer(journal).halt(session, seconds=1.0)


def test_a_full_disk_is_told_to_the_run(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, answer)
    (journal.writer.root / "captures" / UID / f"{RUN}.pcap.part").symlink_to("/dev/full")
    Gatherer(journal).finish(session)
    assert session.state is PodState.TRANSFER_FAILED
    assert journal.error is not None and "No space left" in journal.error.message
