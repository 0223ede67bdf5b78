"""The agent: its scripts as they run in a pod, and its words as they are read."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cluster.agent import (
    AgentLimits,
    AgentState,
    PullMode,
    parse_manifest,
    parse_status,
    pull_command,
    read_counters,
    script,
)
from kubectl_netpolgen.packets.reading import read_capture
from tests.cluster.agents import RUN, LocalAgent, Shell, running_agent, shells
from tests.components import needs
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    LINUX_SLL2,
    SERVER,
    SERVER6,
    Packet,
    a_pcap,
    icmp_echo,
    icmp_unreachable,
    ip,
    udp,
)


def test_an_agent_that_nobody_asks_lives_for_its_lease_and_its_linger() -> None:
    assert AgentLimits(lease=70, linger=30).alone == 100


@pytest.fixture(params=shells(), ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    """Each shell of this machine that images have."""
    chosen = request.param
    assert isinstance(chosen, Shell)
    return chosen


def ended(agent: LocalAgent) -> str:
    """Wait for the agent's manifest; its own word for why it stopped."""
    agent.wait_for(lambda: (agent.files / "manifest").exists())
    status = agent.status
    assert status is not None and status.state is AgentState.DONE
    return status.reason


def test_the_scripts_are_portable_and_carry_no_comments() -> None:
    for name in ("agent.sh", "pull.sh"):
        text = script(name)
        assert not re.search(r"^\s*#", text, re.MULTILINE)
        for chosen in shells():
            assert subprocess.run([*chosen.command, "-n", "-c", text], check=False).returncode == 0


def test_an_agent_captures_until_the_client_stops_it(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        agent.packet(b"one")
        before = time.monotonic()
        agent.touch("stop")
        assert ended(agent) == "client"
        assert time.monotonic() - before < 2.0
        agent.touch("collected")
        assert agent.process.wait(10) == 0
        assert not agent.files.exists()


def test_a_wake_up_does_not_wait_for_the_end_of_the_turn(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, NPG_TICK="60") as agent:
        agent.wait_until_capturing()
        agent.touch("stop")
        assert ended(agent) == "client"


def test_the_duration_ends_it(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, seconds=1) as agent:
        assert ended(agent) == "duration"


def test_a_lease_that_nobody_renews_ends_it(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, limits=AgentLimits(lease=1)) as agent:
        assert ended(agent) == "lease-expired"


def test_a_renewed_lease_keeps_it(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, limits=AgentLimits(lease=2)) as agent:
        agent.wait_until_capturing()
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            agent.touch("lease")
            agent.wait_for(lambda: not (agent.files / "lease").exists())
        assert agent.status is not None and agent.status.state is AgentState.CAPTURING


def test_the_packet_cap_ends_packets_but_not_sockets(tmp_path: Path, shell: Shell) -> None:
    limits = AgentLimits(packets=1, sockets_interval=1)
    with running_agent(tmp_path, shell, limits=limits) as agent:
        agent.wait_until_capturing()
        agent.packet(b"only")
        agent.wait_for(lambda: agent.status is not None and agent.status.reason == "packet-cap")
        size = (agent.files / "sockets").stat().st_size
        agent.wait_for(lambda: (agent.files / "sockets").stat().st_size > size)
        agent.touch("stop")
        assert ended(agent) == "packet-cap"


def test_the_size_cap_ends_packets(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, limits=AgentLimits(size=1000)) as agent:
        agent.wait_until_capturing()
        agent.packet(bytes(2000))
        agent.wait_for(lambda: agent.status is not None and agent.status.reason == "size-cap")
        agent.touch("stop")
        assert ended(agent) == "size-cap"


def test_a_tcpdump_that_ends_by_itself_is_noticed(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        (agent.files / "die").touch()
        agent.wait_for(lambda: agent.status is not None and agent.status.reason == "tcpdump-exited")
        agent.touch("stop")
        assert ended(agent) == "tcpdump-exited"


def test_the_end_of_the_pod_ends_it_within_its_grace_time(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        agent.process.send_signal(signal.SIGTERM)
        assert ended(agent) == "sigterm"
        agent.process.send_signal(signal.SIGTERM)
        agent.touch("collected")
        assert agent.process.wait(10) == 0
        assert agent.last_words is not None and agent.last_words.reason == "sigterm"


def test_linger_time_ends_an_agent_that_nobody_collects(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, seconds=1, limits=AgentLimits(linger=1)) as agent:
        assert agent.process.wait(10) == 0
        assert not agent.files.exists()


def test_a_tcpdump_that_cannot_change_its_user_is_told_not_to(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, FAKE_TCPDUMP="stays") as agent:
        agent.wait_until_capturing()
        assert "-Z\nroot" in (agent.files / "arguments").read_text()


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ("drops", "permission", "Couldn't change to 'root'"),
        ("refused", "permission", "permission to perform this capture"),
        ("filter", "tcpdump-exited", "syntax error"),
    ],
)
def test_a_tcpdump_that_cannot_capture_is_quoted(
    tmp_path: Path, shell: Shell, behaviour: str, reason: str, words: str
) -> None:
    with running_agent(tmp_path, shell, FAKE_TCPDUMP=behaviour) as agent:
        agent.wait_for(lambda: agent.last_words is not None)
        status = agent.last_words
        assert status is not None and status.state is AgentState.FAILED
        assert status.reason == reason
        assert words in status.words
        agent.touch("collected")
        assert agent.process.wait(10) == 1


def test_an_image_without_tcpdump_is_said(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, tcpdump=False) as agent:
        agent.wait_for(lambda: agent.last_words is not None)
        assert agent.last_words is not None and agent.last_words.reason == "no-tcpdump"


def test_a_read_only_image_is_said(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, writable=False) as agent:
        assert agent.process.wait(10) == 90
        assert agent.last_words is not None and agent.last_words.reason == "no-directory"


def test_the_first_writable_directory_is_taken(tmp_path: Path, shell: Shell) -> None:
    bases = f"{tmp_path / 'missing'} {tmp_path / 'base'}"
    with running_agent(tmp_path, shell, NPG_BASES=bases) as agent:
        agent.wait_until_capturing()
        assert agent.collector().await_listening(5) is not None


def test_a_directory_that_somebody_else_made_is_not_used(tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "other" / f"npg-{RUN}").mkdir(parents=True)
    bases = f"{tmp_path / 'other'} {tmp_path / 'base'}"
    with running_agent(tmp_path, shell, NPG_BASES=bases) as agent:
        agent.wait_until_capturing()
        assert not list((tmp_path / "other" / f"npg-{RUN}").iterdir())


def test_the_manifest_holds_size_and_hash_of_every_file(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        agent.packet(b"something")
        agent.touch("stop")
        ended(agent)
        entries = parse_manifest((agent.files / "manifest").read_bytes())
        assert [entry.name for entry in entries] == ["cap.pcap", "sockets", "tcpdump.err"]
        for entry in entries:
            content = (agent.files / entry.name).read_bytes()
            assert entry.size == len(content)
            assert entry.sha256 == hashlib.sha256(content).hexdigest()


def test_an_image_without_sha256sum_leaves_the_hash_open(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        (tmp_path / "bin" / "sha256sum").unlink()
        agent.wait_until_capturing()
        agent.touch("stop")
        ended(agent)
        assert {entry.sha256 for entry in parse_manifest((agent.files / "manifest").read_bytes())} == {""}


def test_the_sockets_file_has_tables_routes_and_surroundings(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell) as agent:
        agent.wait_until_capturing()
        agent.touch("stop")
        ended(agent)
        text = (agent.files / "sockets").read_text()
        sections = re.findall(r"^#npg \d+ (\S+)$", text, re.MULTILINE)
        for section in ("tcp", "udp", "route", "resolv.conf", "environment"):
            assert section in sections
        assert sections.count("tcp") == 2
        assert "KUBERNETES_SERVICE_HOST=10.96.0.1\nKUBERNETES_SERVICE_PORT=443\n" in text


def test_the_sockets_file_never_grows_beyond_its_cap(tmp_path: Path, shell: Shell) -> None:
    with running_agent(tmp_path, shell, limits=AgentLimits(sockets_size=200)) as agent:
        agent.wait_until_capturing()
        agent.touch("stop")
        ended(agent)
        assert (agent.files / "sockets").stat().st_size <= 200


def test_the_filter_is_one_argument_and_numbers_are_their_flags(tmp_path: Path, shell: Shell) -> None:
    hostile = "port 53 and not host `touch /pwned` $(touch pwned) ' \" ; touch pwned"
    with running_agent(tmp_path, shell, NPG_FILTER=hostile) as agent:
        agent.wait_until_capturing()
        arguments = (agent.files / "arguments").read_text().split("\n")
        assert arguments[-1] == hostile
        assert arguments[arguments.index("-c") + 1] == str(agent.limits.packets)
        assert not (agent.files / "pwned").exists()


def test_counters_of_one_packet_and_of_many_are_read() -> None:
    text = "1 packet captured;20 packets received by filter;3 packets dropped by kernel;9 packets dropped"
    assert read_counters(text) == {"captured": 1, "received by filter": 20, "dropped by kernel": 3}


@given(st.binary(max_size=300))
def test_no_status_of_a_hostile_pod_is_an_error(text: bytes) -> None:
    parse_status(text)
    parse_manifest(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"state": "nonsense"}',
        b'{"state": "done", "bytes": "x"}',
        b'{"state": "done", "listening": 1e999}',
        b'{"state": "done", "listening": null}',
        b"[1]",
        b"[" * 8000,
        b'{"state": "done", "bytes": ' + b"9" * 6000 + b"}",
    ],
)
def test_a_status_that_is_none_is_none(text: bytes) -> None:
    assert parse_status(text) is None


def test_control_characters_of_a_pod_never_get_out() -> None:
    status = parse_status(b'{"state": "failed", "words": "\\u001b[31mred\\nnext", "reason": "\\u0007"}')
    assert status is not None
    assert status.words == "[31mred next"
    assert status.reason == ""


def test_a_manifest_names_only_our_files() -> None:
    good = b"a" * 64 + b" 5 cap.pcap\n"
    assert len(parse_manifest(good + b"b" * 64 + b" 5 ../etc/passwd\n" + b"- -5 sockets\n")) == 1


def test_what_exec_runs_carries_words_as_arguments() -> None:
    command = pull_command(PullMode.PULL, "run; touch x", limit=5, wait=1, offsets=(1, 2, 3))
    assert command[:2] == ["sh", "-c"]
    assert command[3:] == ["npg-pull", "pull", "run; touch x", "5", "1", "1", "2", "3"]


@pytest.mark.parametrize("link_type", [1, 276], ids=["ethernet", "sll2"])
def test_the_filter_compiles_for_the_link_types_of_pods(tmp_path: Path, link_type: int) -> None:
    tcpdump = shutil.which("tcpdump")
    if tcpdump is None:
        # The e2e tests run it inside pods; here it only saves the round trip.
        assert "\n" not in script("capture.bpf")
        return
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1600, link_type))
    done = subprocess.run(
        [tcpdump, "-d", "-r", str(empty), script("capture.bpf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 50


@needs("tcpdump")
@pytest.mark.parametrize("link", [1, LINUX_SLL2], ids=["ethernet", "sll2"])
def test_what_policies_cannot_speak_of_passes_the_filter(tmp_path: Path, link: int) -> None:
    refused = icmp_unreachable(udp(CLIENT, 40000, SERVER, 9))
    answer = Packet(ip(SERVER, CLIENT, 1, bytes(8)))
    solicitation = Packet(ip(CLIENT6, SERVER6, 58, bytes((135, *bytes(23)))))
    membership = Packet(ip(CLIENT, "239.1.2.3", 2, bytes((0x16, *bytes(7)))))
    packets = [icmp_echo(), answer, icmp_echo(CLIENT6, SERVER6), solicitation, membership, refused]
    (tmp_path / "all.pcap").write_bytes(a_pcap(packets, link=link))
    passed = tmp_path / "passed.pcap"
    done = subprocess.run(
        ["tcpdump", "-r", str(tmp_path / "all.pcap"), "-w", str(passed), script("capture.bpf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = read_capture(passed)
    assert found.packets == 4
    assert found.inexpressible == (
        f"ICMP {CLIENT} > {SERVER}",
        f"ICMPv6 {CLIENT6} > {SERVER6}",
        f"IGMP {CLIENT} > 239.1.2.3",
    )
