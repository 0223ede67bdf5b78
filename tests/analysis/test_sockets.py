"""The agent's sockets file: what the kernel prints, and everything that a cut or hostile file may hold."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.sockets import parse_sockets
from kubectl_netpolgen.model.network import Protocol, canonical_address
from kubectl_netpolgen.model.sockets import PodNetwork, SocketState

# In the shape that Linux prints: a listener, a connection, one in TIME_WAIT; a dual-stack listener and an
# IPv4 connection to it; a bound and a connected UDP socket. The last columns are left out.
REAL = """\
#npg 1767441600 tcp
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeo
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0501F40A:9C40 0A00600A:0050 01 00000000:00000000 02:000004C5 00000000     0
   2: 0501F40A:9C41 0601F40A:18EB 06 00000000:00000000 03:00000FA3 00000000     0
#npg 1767441600 tcp6
  sl  local_address                         remote_address                        st tx_
   0: 00000000000000000000000000000000:C383 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 0000000000000000FFFF00000501F40A:C383 0000000000000000FFFF00000701F40A:8235 01 00000000:00000000
   2: B80D0120000000000000000005000000:9C42 B80D0120000000000000000010000000:01BB 01 00000000:00000000
#npg 1767441600 udp
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  time
  301: 00000000:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0
  302: 0501F40A:B7C1 0A00600A:0035 01 00000000:00000000 00:00000000 00000000     0
#npg 1767441600 udp6
  sl  local_address                         remote_address                        st tx_
#npg 1767441600 route
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101F40A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0001F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
#npg 1767441600 ipv6_route
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000
#npg 1767441600 resolv.conf
search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
nameserver fd00:96::a
options ndots:5

#npg 1767441600 environment
KUBERNETES_SERVICE_HOST=10.96.0.1
KUBERNETES_SERVICE_PORT=443
"""
SECOND = 1_000_000_000
AT = 1_767_441_600 * SECOND


def parse(text: str) -> PodNetwork:
    """The file of pod u1."""
    return parse_sockets(text, pod_uid="u1", file="captures/u1/run.sockets")


def row(line: str, *, section: str = "tcp") -> PodNetwork:
    """A file of one row."""
    return parse(f"#npg 1767441600 {section}\n{line}\n")


def test_file_of_a_real_pod_is_understood() -> None:
    network = parse(REAL)
    assert [
        (item.protocol.value, item.local, item.local_port, item.remote, item.remote_port, item.state.value)
        for item in network.rows
    ] == [
        ("TCP", "0.0.0.0", 8080, "0.0.0.0", 0, "listen"),
        ("TCP", "10.244.1.5", 40000, "10.96.0.10", 80, "established"),
        ("TCP", "10.244.1.5", 40001, "10.244.1.6", 6379, "closing"),
        ("TCP", "10.244.1.5", 50051, "10.244.1.7", 33333, "established"),
        ("TCP", "2001:db8::5", 40002, "2001:db8::10", 443, "established"),
        ("TCP", "::", 50051, "::", 0, "listen"),
        ("UDP", "0.0.0.0", 8125, "0.0.0.0", 0, "bound"),
        ("UDP", "10.244.1.5", 47041, "10.96.0.10", 53, "established"),
    ]
    assert {item.time for item in network.rows} == {AT}
    assert network.gateways == {"10.244.1.1", "fe80::1"}
    assert network.nameservers == {"10.96.0.10", "fd00:96::a"}
    assert network.api_server == ("10.96.0.1", 443)
    assert (network.pod_uid, network.file, network.snapshots) == ("u1", "captures/u1/run.sockets", 1)
    assert network.listening(Protocol.TCP) == {8080, 50051}
    assert network.listening(Protocol.UDP) == {8125}


@given(st.ip_addresses(), st.integers(0, 65535))
def test_kernels_words_give_the_address_back(parsed: object, port: int) -> None:
    raw = ipaddress.ip_address(str(parsed)).packed
    words = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4)).hex().upper()
    (found,) = row(f"0: {words}:{port:04X} {words}:0000 01 x").rows
    assert (found.local, found.local_port) == (canonical_address(str(parsed)), port)


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("01", SocketState.ESTABLISHED),
        ("02", SocketState.SYN_SENT),
        ("03", SocketState.SYN_RECV),
        ("04", SocketState.CLOSING),
        ("05", SocketState.CLOSING),
        ("06", SocketState.CLOSING),
        ("08", SocketState.CLOSING),
        ("09", SocketState.CLOSING),
        ("0A", SocketState.LISTEN),
        ("0B", SocketState.CLOSING),
        ("07", None),
        ("00", None),
        ("0D", None),
        ("FF", None),
        ("-1", None),
    ],
)
def test_states_are_the_kernels(state: str, meaning: SocketState | None) -> None:
    found = [item.state for item in row(f"0: 0501F40A:9C40 0A00600A:0050 {state} x").rows]
    assert found == ([] if meaning is None else [meaning])


@pytest.mark.parametrize(
    "line",
    [
        "0: 0501F40A:9C40 0A00600A:0050",
        "0: 0501F40A:9C40 0A00600A:00",
        "0: 0501F40A:9C40 0A00600A 01",
        "0: 0501F40A:9C40 0A00:0050 01",
        "0: 0501F40A: 0A00600A:0050 01",
        "0: 0501F40A:FFFFF 0A00600A:0050 01",
        "0: 0501F40A:-001 0A00600A:0050 01",
        "0: 0501F40A:0x50 0A00600A:0050 01",
        "0: ZZ01F40A:9C40 0A00600A:0050 01",
        "0 0501F40A:9C40 0A00600A:0050 01",
        "\x1b[2J",
        "sl local_address rem_address st",
    ],
)
def test_line_that_is_no_row_is_passed_over(line: str) -> None:
    assert row(line).rows == ()


@given(st.integers(0, len(REAL)))
def test_cut_file_gives_a_part_of_what_the_whole_gives(length: int) -> None:
    cut, whole = parse(REAL[:length]), parse(REAL)
    assert set(cut.rows) <= set(whole.rows)
    assert cut.gateways <= whole.gateways
    assert cut.nameservers <= whole.nameservers
    assert cut.api_server in (None, whole.api_server)


@given(
    st.lists(
        st.sampled_from(
            ["#npg 1 tcp", "#npg 1 route", "#npg 1 ipv6_route", "#npg 1 resolv.conf", "#npg 1 environment"]
        )
        | st.text()
        | st.sampled_from(REAL.splitlines())
        | st.sampled_from(
            ["nameserver ²", "KUBERNETES_SERVICE_PORT=²", "#npg ² tcp", "KUBERNETES_SERVICE_HOST=1.2.3.4"]
        )
        | st.just(f"x 00 y 00 {'G' * 32}")
        | st.just("KUBERNETES_SERVICE_PORT=" + "9" * 5000)
    )
)
def test_any_text_is_read_without_an_error(lines: list[str]) -> None:
    parse("\n".join(lines))


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "443x", "²", "9" * 5000])
def test_api_server_without_a_usable_port_is_unknown(port: str) -> None:
    text = f"#npg 1 environment\nKUBERNETES_SERVICE_HOST=10.96.0.1\nKUBERNETES_SERVICE_PORT={port}\n"
    assert parse(text).api_server is None


@pytest.mark.parametrize(
    "header", ["#npg", "#npg x tcp", "#npg 1", "#npg 1 tcp more", "#npg 123456789012 tcp"]
)
def test_header_that_is_none_opens_no_section(header: str) -> None:
    network = parse(f"{header}\n0: 0501F40A:9C40 0A00600A:0050 01 x\n")
    assert (network.rows, network.snapshots) == ((), 0)


def test_row_keeps_the_time_it_was_first_seen_and_snapshots_are_counted() -> None:
    line = "0: 0501F40A:9C40 0A00600A:0050 01 x"
    network = parse(f"#npg 100 tcp\n{line}\n#npg 200 tcp\n{line}\n")
    assert [item.time for item in network.rows] == [100 * SECOND]
    assert network.snapshots == 2


def test_sections_of_another_time_and_kind_do_not_mix() -> None:
    assert row("nameserver 10.96.0.10", section="tcp").nameservers == frozenset()
    assert row("0: 0501F40A:9C40 0A00600A:0050 01 x", section="resolv.conf").rows == ()
    assert row("0: 0501F40A:9C40 0A00600A:0050 01 x", section="raw").rows == ()
