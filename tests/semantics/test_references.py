"""Addresses in configuration, in the forms that people write them, and nothing of passwords."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.semantics.references import MOST_REFERENCES, Reference, find_references, port_beside


def found(text: str, name: str = "") -> list[str]:
    """`host:port` of each reference, the port left out where there is none."""
    return [
        item.host if item.port is None else f"{item.host}:{item.port}"
        for item in find_references(text, name=name)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://orders:8080/x", ["orders:8080"]),
        ("http://orders/x", ["orders"]),
        ("HTTPS://Orders.Shop.svc.cluster.local./x", ["orders.shop.svc.cluster.local"]),
        ("orders.shop.svc.cluster.local:5432", ["orders.shop.svc.cluster.local:5432"]),
        ("orders.shop.svc", ["orders.shop.svc"]),
        ("redis:6379", ["redis:6379"]),
        ("10.96.0.10:80", ["10.96.0.10:80"]),
        ("kafka-0.kafka:9092,kafka-1.kafka:9092", ["kafka-0.kafka:9092", "kafka-1.kafka:9092"]),
        ("jdbc:postgresql://orders:5432/db?ssl=true", ["orders:5432"]),
        ("mongodb://user:secret@a:27017,b:27017/db", ["a:27017", "b:27017"]),
        ("amqp://u:p@mq:5672,amqp://u:p@mr:5672", ["mq:5672", "mr:5672"]),
        ("root:secret@tcp(db:3306)/shop", ["db:3306"]),
        ("host=orders port=5432 dbname=x", ["orders"]),
        ("--addr=redis:6379", ["redis:6379"]),
        ('{"url": "http://orders:8080/", "other": [\'redis:6379\']}', ["orders:8080", "redis:6379"]),
        ("proxy_pass http://orders:8080;", ["orders:8080"]),
        ("  server orders:8080 weight=5;", ["orders:8080"]),
        ("http://orders:8080/x?next=http://web:80/", ["orders:8080", "web:80"]),
        ("http://orders:8080 http://orders:8080", ["orders:8080"]),
    ],
)
def test_addresses_are_found_as_people_write_them(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "orders", "true", "8080", "api: 8080", ":8080", "orders:", "orders:http", "orders:0"),
        *("orders:65536", "orders:080808", "orders:-1", "http://", "://", "http://$(HOST):80/", "-a-:80"),
        *("orders:\u0663", "user@orders", "a" * 254 + ":80", "2026-01-03T12:00:00Z"),
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "name", ["HOST", "DB_HOST", "PGHOST", "redisHost", "db.host", "SERVER_ADDR", "HOSTS", "BROKERS", "URL_2"]
)
def test_word_alone_is_a_host_where_the_name_says_so(name: str) -> None:
    assert found("orders", name) == ["orders"]
    assert found("orders,redis", name) == ["orders", "redis"]


@pytest.mark.parametrize(
    "name", ["", "USER", "DB_NAME", "OTEL_SERVICE_NAME", "HOST_PASSWORD", "GHOSTLY", "PORT"]
)
def test_word_alone_is_no_host_under_any_other_name(name: str) -> None:
    assert found("orders", name) == []


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("DB_HOST", "DB_PORT"),
        ("redisHost", "redisPort"),
        ("PGHOST", "PGPORT"),
        ("db.host", "db.port"),
        ("HOST", "PORT"),
    ],
)
def test_port_of_a_host_may_stand_in_a_variable_beside_it(host: str, port: str) -> None:
    assert port_beside(host, {port.lower(): "5432", "other_port": "1"}) == 5432
    assert find_references("orders", name=host, beside=5432) == (Reference("orders", None, beside=5432),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_HOST", "tcp"),
        ("DB_HOST", "0"),
        ("DB_HOST", "70000"),
        ("DB_HOST", 5432),
        ("DB_HOST", None),
        ("USER", "1"),
    ],
)
def test_what_is_no_port_of_a_host_is_not_taken_for_it(name: str, value: object) -> None:
    assert port_beside(name, {"db_port": value, "port": value}) is None


def test_files_are_read_line_by_line() -> None:
    text = (
        "db.host = orders\n'cache_host': \"redis\"\n- server: queue\nname: web\npassword: mq\n# redis:6379\n"
    )
    assert found(text, "app.yaml") == ["orders", "redis", "queue", "redis:6379"]


@pytest.mark.parametrize("name", ["PASSWORD", "API_TOKEN", "client_secret", "aws.credentials", "apiKeyHost"])
def test_values_of_what_is_called_a_password_are_not_looked_at(name: str) -> None:
    assert found("redis:6379", name) == []
    assert found(f"{name}: redis:6379") == []
    assert found(f"{name}=http://redis:6379") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amqp://orders:8080@mq:5672", ["mq:5672"]),
        ("amqp://redis:6379,x@mq:5672", ["mq:5672"]),
        ("amqp://u:redis:6379@mq:5672", ["mq:5672"]),
        ("amqp://u:http://redis:6379@mq:5672", ["mq:5672"]),
        ("amqp://redis:6379/tail@mq:5672", ["mq:5672"]),
        ("redis:6379@mq:5672", ["mq:5672"]),
        ("redis:6379@", []),
        ("http://orders:8080/?mail=a@b", []),
    ],
)
def test_user_and_password_of_a_url_are_never_an_address(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_scheme_is_kept_for_the_port_that_it_implies() -> None:
    assert find_references("postgres://u:p@orders/db") == (Reference("orders", None, "postgres"),)


@given(st.text(max_size=300), st.text(max_size=30))
def test_any_text_gives_hosts_and_ports_that_stand_in_it(text: str, name: str) -> None:
    for item in find_references(text, name=name):
        assert item.host in text.lower()
        assert item.port is None or (1 <= item.port <= 65535 and str(item.port) in text)


@given(
    st.text(
        st.characters(exclude_characters="@ \n\r", exclude_categories=("Zs", "Cc", "Zl", "Zp")), max_size=40
    ),
    st.sampled_from(["amqp://u:{}@mq:5672/x", "u:{}@mq:5672", "amqp://{}@mq:5672/x"]),
)
def test_no_password_becomes_a_server(password: str, form: str) -> None:
    quotes = set("\"'`<>(){}[]|\\^")
    hosts = found(form.format(password))
    assert "mq:5672" in hosts or "?" in password
    if not quotes & set(password):
        assert set(hosts) <= {"mq:5672"}


@pytest.mark.parametrize(
    "piece",
    ["a", "a:1,", "a://", "http://a:1 ", "@", ":", "x=", "-", " ", "a.svc.", "(", "a=b:1", '"', "a\n"],
)
def test_huge_values_cost_time_in_proportion(piece: str) -> None:
    started = time.monotonic()
    references = find_references(piece * (3_000_000 // len(piece)), name="HOST")
    assert len(references) <= MOST_REFERENCES
    assert time.monotonic() - started < 20
