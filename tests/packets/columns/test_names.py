from __future__ import annotations

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.columns.names import NameList


def test_a_name_has_one_number_from_each_source() -> None:
    names = NameList()
    web, same, other = (
        PeerName("web.test", NameSource.SNI),
        PeerName("web.test", NameSource.SNI),
        PeerName("web.test", NameSource.HTTP),
    )
    assert [names.number(name) for name in (web, other, same)] == [0, 1, 0]
    assert (names[0], names[1]) == (web, other)


def test_there_is_room_for_so_many_and_what_is_there_keeps_its_number() -> None:
    names = NameList(most=2)
    several = [PeerName(f"{number}.test", NameSource.SNI) for number in range(4)]
    assert [names.number(name) for name in several] == [0, 1, None, None]
    assert [names.number(name) for name in several] == [0, 1, None, None]
