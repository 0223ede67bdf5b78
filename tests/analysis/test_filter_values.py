from __future__ import annotations

import ipaddress

import pytest

from kubectl_netpolgen.analysis.expressions import FIELDS, Moment, Operator, Span, Value
from kubectl_netpolgen.analysis.filter_values import read_network, read_value
from kubectl_netpolgen.model.times import parse_rfc3339


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.1/24", "10.0.0.0/24"),
        ("fd00::1", "fd00::1/128"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("10.0.0", None),
        ("80", None),
        ("fe80::1%1", None),
        ("10.0.0.0/33", None),
    ],
)
def test_addresses_and_networks(text: str, network: str | None) -> None:
    assert read_network(text) == (None if network is None else ipaddress.ip_network(network))


@pytest.mark.parametrize(
    ("field", "operator", "text", "value"),
    [
        ("port", "==", "80", Span(80, 80)),
        ("port", "in", "80-90", Span(80, 90)),
        ("port", ">", "80-90", None),
        ("port", "==", "90-80", None),
        ("port", "==", "-1", None),
        ("port", "==", "9" * 30, None),
        ("bytes", ">", "1.5k", None),
        ("bytes", ">", "2GiB", Span(2 << 30, 2 << 30)),
        ("vlan", "==", "None", "none"),
        ("vlan", "<", "none", None),
        ("port", "==", "none", None),
        ("protocol", "==", "TCP", "tcp"),
        ("protocol", "==", "icmp", None),
        ("name", "==", "Web.Test", "web.test"),
        ("file", "==", "A.pcap", "A.pcap"),
        ("first", ">", "2026-01-02T03:04:05+01:00", Moment(parse_rfc3339("2026-01-02T02:04:05Z"))),
        ("first", ">", "2026-13-02", None),
        ("first", ">", "yesterday", None),
    ],
)
def test_a_text_is_a_value_of_its_field_or_nothing(
    field: str, operator: str, text: str, value: Value | None
) -> None:
    assert read_value(FIELDS[field], Operator(operator), text) == value
