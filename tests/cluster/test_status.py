"""Answers of failure become errors in the server's own words."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cluster.status import ApiError, ConnectionLost, Gone, Unreachable, failure
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus


def test_the_servers_message_reason_and_details_are_kept() -> None:
    status = {
        "kind": "Status",
        "message": 'pods "a\x1b[2J" not found',
        "reason": "NotFound",
        "details": {"name": "a"},
        "code": 404,
    }
    error = failure(404, json.dumps(status).encode(), subject="/x")
    assert (error.message, error.reason, error.code) == ('pods "a\x1b[2J" not found', "NotFound", 404)
    assert error.details == {"name": "a"}


def test_the_http_status_never_becomes_the_exit_status() -> None:
    assert failure(404, b"", subject="/x").status is ExitStatus.ERROR


def test_410_is_gone() -> None:
    assert type(failure(410, b"", subject="/x")) is Gone


def test_an_error_without_a_status_names_what_was_asked_for() -> None:
    assert failure(502, b" <html> ", subject="/version").message == "/version: HTTP 502: <html>"


def test_a_forbidden_request_says_how_to_get_the_right() -> None:
    assert "kubectl netpolgen rbac" in failure(403, b"", subject="/x").way_out


def test_a_lost_connection_is_one_kind_of_unreachable() -> None:
    assert issubclass(ConnectionLost, Unreachable)
    assert issubclass(Unreachable, ClusterError)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["message", "reason", "details", "code"]), _JSON),
    st.integers(300, 599),
)
def test_no_status_however_odd_is_anything_but_an_error(fields: dict[str, object], code: int) -> None:
    error = failure(code, json.dumps({"kind": "Status", **fields}).encode(), subject="/x")
    assert isinstance(error, ApiError)
    assert isinstance(error.message, str)
    assert error.message


@given(st.binary(), st.integers(300, 599))
def test_no_body_however_odd_is_anything_but_an_error(body: bytes, code: int) -> None:
    assert failure(code, body, subject="/x").code == code
