"""Which end is the server: handshake, LISTEN tables, other handshakes, declarations, and last the guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.orientation import Orientation, reversed_conversation
from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.sockets import SocketRow
from tests.factories import (
    a_bound,
    a_conversation,
    a_listener,
    a_network,
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_timeline,
    networks_of,
)

WEB, API = "10.244.1.5", "10.244.1.6"


def oriented(
    item: Conversation,
    *others: Conversation,
    web: tuple[SocketRow, ...] = (),
    api: tuple[SocketRow, ...] = (),
    declared: tuple[Any, ...] = (),
    objects: tuple[Any, ...] = (),
) -> Conversation:
    """The conversation as the bundle of pods web-1 and api-1 orients it."""
    pods = a_pod("web-1", WEB), a_pod("api-1", API, ports=declared)
    networks = networks_of(a_network("uid-web-1", *web), a_network("uid-api-1", *api))
    orientation = Orientation(a_timeline(*pods, *objects), networks)
    orientation.learn((item, *others))
    return orientation.orient(item)


def guessed(client: str = WEB, server: str = API, **changes: Any) -> Conversation:
    """A conversation without a handshake, oriented by the reader's guess."""
    return a_conversation(
        client, server, **{"direction": Direction.HEURISTIC, "client_port": 40000, **changes}
    )


def wrong_way(**changes: Any) -> Conversation:
    """web dials api at 50000 from 40000, and the reader took the lower port for the server's."""
    return guessed(API, WEB, client_port=50000, server_port=40000, **changes)


@pytest.mark.parametrize("direction", [Direction.SYN, Direction.SYNACK])
def test_handshake_is_never_doubted(direction: Direction) -> None:
    item = a_conversation(direction=direction)
    assert oriented(item, web=(a_listener(40000),)) == item


def test_listen_table_names_the_server() -> None:
    assert oriented(guessed(), api=(a_listener(8080),)).direction is Direction.LISTEN


def test_listen_table_turns_a_wrong_guess() -> None:
    found = oriented(wrong_way(), api=(a_listener(50000),))
    assert (found.client, found.client_port, found.server, found.server_port) == (WEB, 40000, API, 50000)
    assert found.direction is Direction.LISTEN


def test_listener_on_loopback_serves_nobody_else() -> None:
    item = guessed()
    assert oriented(item, api=(a_listener(8080, "127.0.0.1"),)) == item


def test_other_handshake_proves_the_port() -> None:
    other = a_conversation("10.244.1.9", API, 50000)
    found = oriented(wrong_way(), other)
    assert (found.server, found.server_port, found.direction) == (API, 50000, Direction.PROVEN)


def test_declared_container_port_names_the_server() -> None:
    found = oriented(wrong_way(), declared=(a_port(50000),))
    assert (found.server, found.direction) == (API, Direction.DECLARED)


def test_declared_port_of_another_protocol_says_nothing() -> None:
    item = guessed()
    assert oriented(item, declared=(a_port(8080, protocol=Protocol.UDP),)) == item


def test_service_port_names_the_server() -> None:
    item = guessed("10.96.0.10", WEB, client_port=50000, server_port=40000)
    found = oriented(item, objects=(a_service(ports=(a_service_port(50000),)),))
    assert (found.server, found.server_port, found.direction) == ("10.96.0.10", 50000, Direction.DECLARED)


def test_tables_are_believed_before_declarations() -> None:
    found = oriented(wrong_way(), web=(a_listener(40000),), declared=(a_port(50000),))
    assert (found.server, found.server_port, found.direction) == (WEB, 40000, Direction.LISTEN)


def test_declared_and_open_is_more_than_declared() -> None:
    item = guessed(protocol=Protocol.UDP, server_port=8125)
    both = oriented(item, declared=(a_port(8125, protocol=Protocol.UDP),), api=(a_bound(8125),))
    assert both.direction is Direction.LISTEN
    assert oriented(item, declared=(a_port(8125, protocol=Protocol.UDP),)).direction is Direction.DECLARED


def test_without_any_witness_the_guess_stays_a_guess() -> None:
    item = guessed()
    assert oriented(item) == item


def test_witnesses_at_both_ends_cancel_out() -> None:
    item = guessed()
    assert oriented(item, web=(a_listener(40000),), api=(a_listener(8080),)) == item


def test_port_53_is_the_dns_servers() -> None:
    item = guessed("10.96.0.10", WEB, client_port=53, server_port=33333, protocol=Protocol.UDP)
    found = oriented(item)
    assert (found.client, found.server_port, found.direction) == (WEB, 53, Direction.DECLARED)


def test_bound_port_of_a_udp_client_makes_it_no_server() -> None:
    # QUIC and statsd clients use unconnected sockets, which the table shows as bound
    item = guessed(WEB, "203.0.113.10", client_port=45678, server_port=443, protocol=Protocol.UDP)
    assert oriented(item, web=(a_bound(45678),)) == item


def test_bound_port_of_a_udp_server_turns_a_wrong_guess() -> None:
    item = guessed(API, "203.0.113.10", client_port=8125, server_port=1030, protocol=Protocol.UDP)
    found = oriented(item, api=(a_bound(8125),))
    assert (found.client, found.server_port, found.direction) == ("203.0.113.10", 8125, Direction.LISTEN)


@pytest.mark.parametrize("port", [123, 500, 5060])
def test_client_that_asks_from_the_servers_port_stays_the_client(port: int) -> None:
    item = guessed(API, "203.0.113.10", client_port=port, server_port=port, protocol=Protocol.UDP)
    declared = (a_port(port, protocol=Protocol.UDP),)
    assert oriented(item, api=(a_bound(port),), declared=declared) == item


def test_symmetric_port_that_only_the_server_has_open_is_confirmed() -> None:
    item = guessed("203.0.113.10", API, client_port=123, server_port=123, protocol=Protocol.UDP)
    assert oriented(item, api=(a_bound(123),)).direction is Direction.LISTEN


def test_answer_that_nobody_asked_for_in_this_capture_was_an_answer() -> None:
    item = guessed(
        API,
        WEB,
        client_port=50000,
        server_port=40000,
        protocol=Protocol.UDP,
        outcome=Outcome.UNANSWERED,
        packets_to_client=0,
        bytes_to_client=0,
    )
    found = oriented(item, declared=(a_port(50000, protocol=Protocol.UDP),))
    assert (found.outcome, found.packets_to_server, found.packets_to_client) == (Outcome.ANSWERED, 0, 6)
    assert found.keys == ("u40000",)


@given(
    st.builds(
        a_conversation,
        protocol=st.sampled_from(Protocol),
        client_port=st.integers(1, 65535),
        server_port=st.integers(1, 65535),
        outcome=st.sampled_from([Outcome.ANSWERED, Outcome.ESTABLISHED, Outcome.UNKNOWN]),
    )
)
def test_reversing_twice_changes_nothing(item: Conversation) -> None:
    assert reversed_conversation(reversed_conversation(item)) == item
