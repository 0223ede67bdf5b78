"""Rows as JSON are what a JSON library would write, and nothing from outside can break out."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flow_sums import sum_conversations
from kubectl_netpolgen.model.flow import NameSource, PeerName, Tunnel
from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.output.flow_cells import CSV_COLUMNS
from kubectl_netpolgen.output.flow_rows import LIST_END, json_line, json_writer, list_start
from tests.factories import a_conversation, an_answer

CONVERSATION = a_conversation(
    names=(PeerName("a.test", NameSource.SNI),), vlan=0, tunnel=Tunnel.VXLAN, duplicates=1, later_fragments=2
)
(FLOW,) = sum_conversations([CONVERSATION], file="x")
ANSWER = an_answer("a.test", via=("b.test",))
ROWS: dict[RowKind, Row] = {
    RowKind.CONVERSATIONS: CONVERSATION,
    RowKind.FLOWS: FLOW,
    RowKind.NAMES: ANSWER,
}


def test_every_kind_of_row_has_its_keys_in_their_order() -> None:
    for kind, row in ROWS.items():
        line = json_line(row, file='"x"')
        assert tuple(json.loads(line)) == CSV_COLUMNS[kind]
        assert line.endswith("}\n")


def test_values_are_what_the_row_holds() -> None:
    found = json.loads(json_line(CONVERSATION, file='"x"'))
    assert (found["vlan"], found["tunnel"], found["duplicates"], found["laterFragments"]) == (
        0,
        "vxlan",
        1,
        2,
    )
    assert found["names"] == [{"name": "a.test", "source": "sni"}]
    bare = json.loads(json_line(CONVERSATION._replace(vlan=None, tunnel=None, names=()), file='"x"'))
    assert (bare["vlan"], bare["tunnel"], bare["names"]) == (None, None, [])
    assert json.loads(json_line(replace(ANSWER, address=None), file='"x"'))["address"] is None


@given(st.text(), st.text())
def test_files_and_names_come_back_as_they_were(file: str, name: str) -> None:
    row = CONVERSATION._replace(names=(PeerName(name, NameSource.HTTP),))
    line = json_writer(file)(row)
    assert line.count("\n") == 1
    assert line.isascii()
    found = json.loads(line)
    assert (found["file"], found["names"][0]["name"]) == (file, name)


def test_a_list_begins_with_its_kind_and_is_whole() -> None:
    text = list_start(RowKind.NAMES) + json_line(ANSWER, file='"x"') + LIST_END
    assert json.loads(text)["kind"] == "NameList"
    assert json.loads(list_start(RowKind.FLOWS) + LIST_END)["items"] == []
