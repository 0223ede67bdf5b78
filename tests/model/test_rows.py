from __future__ import annotations

from kubectl_netpolgen.model.flow import Direction
from kubectl_netpolgen.model.rows import RowKind, direction_word


def test_each_kind_has_a_word_for_sentences() -> None:
    assert [kind.plural for kind in RowKind] == ["flows", "conversations", "names"]


def test_a_listening_socket_proves_a_direction_as_packets_do() -> None:
    assert direction_word(Direction.LISTEN) == direction_word(Direction.PROVEN) == "proven"
    assert [direction_word(item) for item in (Direction.SYN, Direction.HEURISTIC)] == ["syn", "heuristic"]
