"""What is allowed and was not seen, a line each, for a program."""

from __future__ import annotations

import json

from kubectl_netpolgen.generation.excess import Excess
from kubectl_netpolgen.generation.sharing import EVERYBODY, Shared
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.output.excess_list import excess_lines

WEB, API = (ObjectKey("Deployment", "shop", name) for name in ("web", "api"))


def test_each_pair_and_port_is_a_line_with_both_ends() -> None:
    lines = list(
        excess_lines(
            [Excess(WEB, API, Protocol.TCP, 80)],
            [
                Shared(WEB, PolicyType.EGRESS, "203.0.113.10/32", Protocol.UDP, 443),
                Shared(API, PolicyType.INGRESS, EVERYBODY, Protocol.TCP, "http"),
            ],
        )
    )
    web, api = ({"kind": "Deployment", "namespace": "shop", "name": name} for name in ("web", "api"))
    assert all(line.endswith("\n") for line in lines)
    assert [json.loads(line) for line in lines] == [
        {"client": web, "server": api, "protocol": "TCP", "port": 80},
        {"client": web, "server": {"addresses": "203.0.113.10/32"}, "protocol": "UDP", "port": 443},
        {"client": {"addresses": "every address"}, "server": api, "protocol": "TCP", "port": "http"},
    ]
