"""Which flows share a connection's key."""

from __future__ import annotations

from kubectl_netpolgen.analysis.key_index import KeyIndex
from kubectl_netpolgen.model.network import Protocol
from tests.factories import address

WEB, API = address("10.244.1.5"), address("10.244.1.6")


def an_index(*rows: tuple[int, Protocol, str, str]) -> KeyIndex:
    index = KeyIndex()
    for row, protocol, client, key in rows:
        index.add(row, protocol, address(client), (key,))
    return index


def test_sequence_number_is_the_same_whatever_the_client_is_called() -> None:
    index = an_index((7, Protocol.TCP, WEB, "t00000001"))
    assert index.rows(Protocol.TCP, API, "t00000001") == (7,)
    assert index.rows(Protocol.TCP, WEB, "t00000002") == ()


def test_port_of_a_udp_client_is_its_own() -> None:
    index = an_index((1, Protocol.UDP, WEB, "u33000"), (2, Protocol.UDP, API, "u33000"))
    assert index.rows(Protocol.UDP, WEB, "u33000") == (1,)
    assert index.rows(Protocol.UDP, API, "u33000") == (2,)


def test_question_to_dns_is_the_same_whatever_the_client_is_called() -> None:
    index = an_index((1, Protocol.UDP, WEB, "d0001"))
    assert index.rows(Protocol.UDP, API, "d0001") == (1,)


def test_key_of_several_flows_has_them_all_once() -> None:
    index = an_index(*((row, Protocol.TCP, WEB, "t1") for row in (3, 1, 2)), (3, Protocol.TCP, WEB, "t1"))
    assert index.rows(Protocol.TCP, WEB, "t1") == (3, 1, 2)


def test_flow_of_several_keys_is_found_by_each() -> None:
    index = KeyIndex()
    index.add(5, Protocol.TCP, WEB, ("t1", "t2"))
    assert index.rows(Protocol.TCP, WEB, "t1") == index.rows(Protocol.TCP, WEB, "t2") == (5,)
