from __future__ import annotations

from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle.reader import read_bundle
from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.runs.bundle_ends import BundleEnds
from tests.bundles import API, SERVICE_ADDRESS, WEB, a_bundle, sockets_text
from tests.factories import a_conversation

LISTENS_ON_8080 = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1"
"""A row of /proc/net/tcp."""


def ends(directory: Path, **parts: Any) -> BundleEnds:
    return BundleEnds(read_bundle(a_bundle(directory / "bundle", **parts)))


def a_guess(client: str, client_port: int, server: str, server_port: int, **changes: Any) -> Conversation:
    return a_conversation(
        client, server, server_port, client_port=client_port, direction=Direction.HEURISTIC, **changes
    )


def test_a_services_port_turns_a_guess_the_right_way_round(tmp_path: Path) -> None:
    guess = a_conversation(SERVICE_ADDRESS, "10.244.1.7", 79, client_port=80, direction=Direction.HEURISTIC)
    (found,) = ends(tmp_path).orient_all([guess])
    assert (found.server, found.server_port, found.direction) == (SERVICE_ADDRESS, 80, Direction.DECLARED)
    assert found.packets_to_server == guess.packets_to_client


def test_what_packets_prove_is_not_given_up_for_less(tmp_path: Path) -> None:
    known = ends(tmp_path)
    for direction in (Direction.SYN, Direction.PROVEN):
        item = a_conversation(SERVICE_ADDRESS, "10.244.1.7", 79, client_port=80, direction=direction)
        assert known.orient(item) == item
    plain = a_conversation(API, "10.9.9.9", 5)._replace(direction=Direction.HEURISTIC)
    assert known.orient(plain) == plain
    assert known.findings == ()


def test_a_guess_that_a_service_confirms_is_a_guess_no_more(tmp_path: Path) -> None:
    right = a_guess(WEB, 40000, SERVICE_ADDRESS, 80)
    assert ends(tmp_path).orient(right) == right._replace(direction=Direction.DECLARED)


def test_a_pods_socket_table_shows_who_listens(tmp_path: Path) -> None:
    known = ends(tmp_path, sockets={"api-1": sockets_text(LISTENS_ON_8080)})
    turned = known.orient(a_guess(API, 8080, WEB, 70))
    assert (turned.server, turned.server_port, turned.direction) == (API, 8080, Direction.LISTEN)
    assert known.findings == ()


def test_a_dns_message_that_told_its_direction_keeps_it(tmp_path: Path) -> None:
    asked = a_conversation(
        WEB, "10.96.0.53", 53, client_port=41000, protocol=Protocol.UDP, direction=Direction.DECLARED
    )
    assert ends(tmp_path).orient(asked) == asked


def test_a_port_that_is_declared_for_another_protocol_says_nothing(tmp_path: Path) -> None:
    late = a_guess(SERVICE_ADDRESS, 80, WEB, 40000, protocol=Protocol.UDP, outcome=Outcome.UNANSWERED)
    assert ends(tmp_path).orient(late) == late


def test_sockets_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    recorded = read_bundle(a_bundle(tmp_path / "bundle"))
    recorded.sockets[0].path.unlink()
    assert [finding.code for finding in BundleEnds(recorded).findings] == ["sockets-unreadable"]
