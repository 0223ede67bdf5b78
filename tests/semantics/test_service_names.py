"""Which Service a host is, and what of a text may be written down."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.mentions import BackendReference
from kubectl_netpolgen.model.objects import Service
from kubectl_netpolgen.semantics.service_names import ServiceNames, parse_spelled, spelled
from tests.factories import a_service, a_service_port

ORDERS = a_service("orders", "10.96.0.10", ports=(a_service_port(8080, 9090),))
MULTI = a_service("multi", "10.96.0.11", ports=(a_service_port(80), a_service_port(443, "tls")))
REDIS = a_service("redis", "", ports=(a_service_port(6379, 7000),))
PAY = a_service("pay", "10.96.0.12", namespace="bank", ports=(a_service_port(5432),))


def found(text: str, *services: Service, name: str = "HOST", namespace: str = "shop") -> list[str]:
    """What a text mentions of these Services."""
    names = ServiceNames(services or (ORDERS, MULTI, REDIS, PAY))
    return [str(item) for item in names.mentioned(text, name=name, namespace=namespace)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://orders:8080/x", "orders.shop:8080"),
        ("orders", "orders.shop:8080"),
        ("orders.shop:8080", "orders.shop:8080"),
        ("orders.shop.svc:8080", "orders.shop:8080"),
        ("orders.shop.svc.example.test:8080", "orders.shop:8080"),
        ("ORDERS.SHOP.SVC.cluster.local.:8080", "orders.shop:8080"),
        ("10.96.0.10:8080", "orders.shop:8080"),
        ("http://multi/x", "multi.shop:80"),
        ("https://multi/x", "multi.shop:443"),
        ("pay.bank:5432", "pay.bank:5432"),
        ("postgres://u:p@pay.bank/x", "pay.bank:5432"),
        ("redis-0.redis:6379", "redis.shop:6379"),
        ("redis-0.redis.shop:6379", "redis.shop:6379"),
        ("redis-0.redis.shop.svc.cluster.local:6379", "redis.shop:6379"),
        ("redis:7000", "redis.shop:7000"),
        ("ledger.vault.svc.cluster.local:700", "ledger.vault:700"),
    ],
)
def test_host_is_the_service_that_a_pod_of_the_namespace_would_reach(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "orders:80",
            "orders:9090",
            "http://orders/x",
            "multi",
            "elsewhere:80",
            "pay:5432",
            "orders.bank:80",
        ),
        *("10.96.0.99:80", "203.0.113.10:443", "ledger.vault.svc", "api.example.test:443", "a.b.svc.c_d:80"),
        *("orders.svc:8080", "svc:80", "..svc:80", "x.y.z.shop:80"),
    ],
)
def test_another_server_or_an_uncertain_port_is_nothing(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "beside", "expected"),
    [
        ("multi", 443, ["multi.shop:443"]),
        ("orders", 8080, ["orders.shop:8080"]),
        ("orders", 3000, ["orders.shop:8080"]),
        ("multi", 3000, []),
        ("http://multi/x", 443, ["multi.shop:80"]),
        ("ledger.vault.svc", 700, ["ledger.vault:700"]),
    ],
)
def test_port_beside_counts_where_the_service_has_it(text: str, beside: int, expected: list[str]) -> None:
    names = ServiceNames((ORDERS, MULTI))
    found = names.mentioned(text, name="HOST", namespace="shop", beside=beside)
    assert [str(item) for item in found] == expected


def test_pod_of_another_namespace_means_its_own_services() -> None:
    assert found("pay:5432", namespace="bank") == ["pay.bank:5432"]
    assert found("orders:8080", namespace="bank") == []


def test_service_of_that_very_name_comes_before_a_pod_of_a_headless_one() -> None:
    odd = a_service("redis-0", "10.96.0.13", namespace="redis", ports=(a_service_port(6379),))
    assert found("redis-0.redis:6379", REDIS, odd) == ["redis-0.redis:6379"]


def test_newer_form_of_a_service_counts() -> None:
    names = ServiceNames((ORDERS,))
    names.learn(a_service("orders", "10.96.0.10", ports=(a_service_port(81),)))
    assert [str(item) for item in names.mentioned("orders", name="HOST", namespace="shop")] == [
        "orders.shop:81"
    ]


@given(
    st.lists(st.text(max_size=40) | st.sampled_from(["http://u:p@orders:8080/", "redis:6379"]), max_size=6)
)
def test_nothing_of_a_text_is_kept_but_what_services_are_called(pieces: list[str]) -> None:
    names = ServiceNames((ORDERS, REDIS))
    kept = names.mentioned(" ".join(pieces), name="URL", namespace="shop")
    for item in kept:
        assert str(item) in ("orders.shop:8080", "redis.shop:6379", "redis.shop:7000") or re.search(
            rf"{item.service}\.{item.namespace}\.svc", " ".join(pieces).lower()
        )


@given(
    st.lists(
        st.builds(
            BackendReference,
            st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
            st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
            st.integers(1, 65535),
        )
    )
)
def test_spelling_is_read_back(backends: list[BackendReference]) -> None:
    assert parse_spelled(" ".join(map(spelled, backends))) == tuple(backends)


@pytest.mark.parametrize(
    "text",
    [
        *(None, 5, ["a.b.svc:80"], "", "orders:8080", "http://orders:8080", "a.b.svc:0", "a.b.svc:99999"),
        *("a.b.svc:x", "a.b.svc", "-a.b.svc:80", "a.b.c.svc:80", "A.b.svc:80", "a.b.svc:80\n"),
    ],
)
def test_other_text_spells_nothing(text: object) -> None:
    assert parse_spelled(text) == ()


def test_words_that_spell_nothing_are_passed_over() -> None:
    assert parse_spelled("x a.b.svc:80  y") == (BackendReference("b", "a", 80),)
