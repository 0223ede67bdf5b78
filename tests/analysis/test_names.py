"""Names of outside addresses, by the lookups of the pod that used them."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.names import MAX_NAMES, Names
from kubectl_netpolgen.model.flow import NameSource
from tests.factories import address, an_answer

OUTSIDE = address("203.0.113.10")


def test_name_is_what_the_pod_itself_asked_for() -> None:
    names = Names({"u1": [an_answer("api.example.test")], "u2": [an_answer("other.example.test")]})
    assert names.of("u1", OUTSIDE) == ("api.example.test",)
    assert names.of("u2", OUTSIDE) == ("other.example.test",)
    assert names.of("u3", OUTSIDE) == ()
    assert names.of("u1", address("203.0.113.11")) == ()


def test_several_names_of_one_address_are_sorted_and_said_once() -> None:
    answers = [an_answer(name) for name in ("b.test", "a.test", "b.test")]
    assert Names({"u1": answers}).of("u1", OUTSIDE) == ("a.test", "b.test")


@pytest.mark.parametrize("name", ["web.shop.svc.cluster.local", "web.shop.svc"])
def test_clusters_own_names_say_nothing_about_the_outside(name: str) -> None:
    assert Names({"u1": [an_answer(name)]}).of("u1", OUTSIDE) == ()


def test_external_name_service_is_known_by_the_name_it_stands_for() -> None:
    answer = an_answer("db.shop.svc.cluster.local", via=("db.example.test", "db-1.cloud.test"))
    assert Names({"u1": [answer]}).of("u1", OUTSIDE) == ("db.example.test",)


def test_name_asked_for_wins_over_the_names_on_the_way() -> None:
    answer = an_answer("www.example.test", via=("edge.cdn.test",))
    assert Names({"u1": [answer]}).of("u1", OUTSIDE) == ("www.example.test",)


def test_flood_of_names_is_bounded_and_stable() -> None:
    answers = [an_answer(f"n{number:03}.test") for number in range(100)]
    found = Names({"u1": answers}).of("u1", OUTSIDE)
    assert len(found) == MAX_NAMES
    assert found == Names({"u1": list(reversed(answers))}).of("u1", OUTSIDE)


def test_every_name_that_was_asked_for_is_kept_for_an_address_nobody_knows() -> None:
    names = Names({"u1": [an_answer("db.other.svc.cluster.local"), an_answer("api.example.test")]})
    assert names.of("u1", OUTSIDE) == ("api.example.test",)
    assert names.asked("u1", OUTSIDE) == ("api.example.test", "db.other.svc.cluster.local")
    assert names.asked("u2", OUTSIDE) == ()


@pytest.mark.parametrize("source", [NameSource.SNI, NameSource.QUIC])
def test_server_is_called_by_the_name_in_a_clients_hello(source: NameSource) -> None:
    names = Names({"u1": [an_answer("api.example.test", source=source)]})
    assert names.of("u1", OUTSIDE) == ("api.example.test",)
    assert names.of("u2", OUTSIDE) == ()


def test_host_of_a_request_may_be_behind_a_proxy_and_names_nobody() -> None:
    assert Names({"u1": [an_answer("api.example.test", source=NameSource.HTTP)]}).of("u1", OUTSIDE) == ()
