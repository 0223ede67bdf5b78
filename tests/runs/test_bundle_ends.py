from __future__ import annotations

from pathlib import Path

from kubectl_netpolgen.bundle.reader import read_bundle
from kubectl_netpolgen.model.flow import Direction
from kubectl_netpolgen.runs.bundle_ends import BundleEnds
from tests.bundles import API, SERVICE_ADDRESS, a_bundle
from tests.factories import a_conversation


def ends(directory: Path) -> BundleEnds:
    return BundleEnds(read_bundle(a_bundle(directory / "bundle")))


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
