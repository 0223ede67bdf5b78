"""A difference as JSON, columns and Markdown."""

from __future__ import annotations

import json

from kubectl_netpolgen.documents.json_text import dump_json
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.output.difference import difference_json, difference_markdown, difference_table
from kubectl_netpolgen.semantics.difference import Change, Relation
from tests.goldens import check_golden
from tests.output.test_connectivity import EVERYTHING, ONE, POD, SOME, WEB

LOST = Change(WEB, POD, SOME, {Protocol.TCP: ((80, 80),)}, gains=False, loses=True)
CHANGES = (
    LOST,
    Change(POD, WEB, EVERYTHING, {}, gains=False, loses=True),
    Change(ONE, POD, {}, EVERYTHING, gains=True, loses=False),
)


def test_the_list_is_the_contract() -> None:
    text = "".join(difference_json(CHANGES[:1], Relation.TIGHTER, 0))
    document = json.loads(text)
    assert text == dump_json(document)
    assert document == {
        "apiVersion": "netpolgen/v1",
        "kind": "ConnectivityDiff",
        "relation": "tighter",
        "items": [
            {
                "source": {"workload": "shop/Deployment/web"},
                "destination": {"pod": "shop/api-1"},
                "before": [
                    {"protocol": "TCP", "ports": [[80, 80], [8000, 8080]]},
                    {"protocol": "UDP", "ports": [[53, 53]]},
                ],
                "after": [{"protocol": "TCP", "ports": [[80, 80]]}],
                "change": "changed",
            }
        ],
    }


def test_what_takes_away_something_seen_says_so() -> None:
    items = json.loads("".join(difference_json(CHANGES, Relation.INCOMPARABLE, 1)))["items"]
    assert [(item["change"], item.get("observed")) for item in items] == [
        ("changed", True),
        ("removed", None),
        ("added", None),
    ]


def test_every_form_for_people_is_as_the_file_says() -> None:
    check_golden("output/difference.txt", difference_table(CHANGES, 1))
    check_golden("output/difference.md", difference_markdown(CHANGES, Relation.INCOMPARABLE, 1))


def test_nothing_is_no_table() -> None:
    assert difference_table((), 0) == ""
    assert difference_markdown((), Relation.EQUIVALENT, 0) == "**equivalent**: 0 pairs changed\n"
    assert "BEFORE" not in difference_table(CHANGES, 0, headers=False)
