"""JSON in and out, over real TLS, with everything that a real server sometimes does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_netpolgen.cluster.api import Api, ApiError, Gone, Unreachable
from kubectl_netpolgen.model.errors import ClusterError
from tests.cluster.fake_api import Answer, FakeApi, open_api, refusal

PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def collect(api: Api, server: FakeApi, stop: threading.Event, version: str) -> tuple[list[Any], Any]:
    """Watch in a thread; the list fills as events come."""
    events: list[dict[str, Any]] = []

    def watch() -> None:
        for event in api.watch(PODS, version, stop=stop):
            with server.store.changed:
                events.append(event)
                server.store.changed.notify_all()

    thread = threading.Thread(target=watch)
    thread.start()
    assert server.wait_for(lambda: server.watches == 1)
    return events, thread


def test_an_object_is_read_as_it_is(server: FakeApi, api: Api) -> None:
    pod = server.store.put("Pod", "web-1", namespace="shop", spec={"nodeName": "n1"})
    assert api.get(f"{PODS}/web-1") == pod


def test_a_query_is_encoded(server: FakeApi, api: Api) -> None:
    api.get(PODS, {"labelSelector": "app in (a,b)&x=1"})
    assert server.received[0].query == {"labelSelector": ["app in (a,b)&x=1"]}


@pytest.mark.parametrize("path", ["/api/v1/namespaces/../secrets", "/api/v1/namespaces//pods", "/api/./v1"])
def test_a_name_of_dots_never_leads_elsewhere(server: FakeApi, api: Api, path: str) -> None:
    with pytest.raises(ClusterError, match="no path of the API"):
        api.get(path)
    assert not server.received


def test_a_name_with_slashes_and_spaces_stays_a_name(server: FakeApi, api: Api) -> None:
    with pytest.raises(ApiError, match="not found"):
        api.get(f"{PODS}/a b?c#d")
    assert server.received[0].path == f"{PODS}/a%20b%3Fc%23d"


def test_a_log_is_text(server: FakeApi, api: Api) -> None:
    server.logs["shop", "web-1", "npg-1"] = b"tcpdump: \xff\n"
    text = api.text(f"{PODS}/web-1/log", {"container": "npg-1"})
    assert text == "tcpdump: \N{REPLACEMENT CHARACTER}\n"


def test_a_patch_says_of_which_kind_it_is(server: FakeApi, api: Api) -> None:
    server.store.put("Pod", "web-1", namespace="shop", spec={})
    body = {"spec": {"ephemeralContainers": [{"name": "npg-1"}]}}
    pod = api.patch(f"{PODS}/web-1/ephemeralcontainers", body)
    assert pod["spec"]["ephemeralContainers"] == [{"name": "npg-1"}]
    assert server.received[0].headers["Content-Type"] == "application/strategic-merge-patch+json"


def test_a_creation_posts_the_object(server: FakeApi, api: Api) -> None:
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"}}}
    answer = api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert answer["status"] == {"allowed": True}


def test_a_list_is_read_in_pages_and_its_items_know_their_kind(server: FakeApi, api: Api) -> None:
    for number in range(7):
        server.store.put("Pod", f"web-{number}", namespace="shop")
    server.page_size = 3
    items, version = api.list(PODS)
    assert [item["metadata"]["name"] for item in items] == [f"web-{number}" for number in range(7)]
    assert {(item["kind"], item["apiVersion"]) for item in items} == {("Pod", "v1")}
    assert version == str(server.store.version)
    assert len(server.received) == 3


def test_a_continuation_that_ran_out_starts_over_without_pages(server: FakeApi, api: Api) -> None:
    for number in range(4):
        server.store.put("Pod", f"web-{number}", namespace="shop")
    server.plan("GET", PODS, refusal(410, "Expired", "The provided continue parameter is too old"))
    items, _ = api.list(PODS)
    assert len(items) == 4
    assert "limit" not in server.received[-1].query


def test_a_refusal_is_the_servers_own_words(server: FakeApi, api: Api) -> None:
    server.rights = lambda verb, target: False
    with pytest.raises(ApiError, match='User "tester" cannot list resource "pods"') as caught:
        api.list(PODS)
    assert (caught.value.code, caught.value.reason) == (403, "Forbidden")
    assert "kubectl netpolgen rbac" in caught.value.way_out


def test_details_come_along(api: Api) -> None:
    with pytest.raises(ApiError) as caught:
        api.get(f"{PODS}/web-1")
    assert caught.value.details["name"] == "web-1"


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"[1]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_an_error(server: FakeApi, api: Api, body: bytes) -> None:
    server.plan("GET", PODS, Answer(200, body))
    with pytest.raises(ClusterError, match="no JSON object"):
        api.get(PODS)


def test_a_proxys_error_page_is_quoted_in_part(server: FakeApi, api: Api) -> None:
    server.plan("PATCH", PODS, Answer(502, b"<html>" + b"x" * 10_000))
    with pytest.raises(ApiError, match="HTTP 502: <html>x") as caught:
        api.patch(PODS, {})
    assert len(caught.value.message) < 1000


def test_credentials_are_renewed_once(server: FakeApi) -> None:
    server.tokens = {"new"}
    with open_api(server, tokens=iter(["old", "new"])) as api:
        assert api.list(PODS)[0] == []


def test_many_threads_renew_credentials_once(server: FakeApi) -> None:
    server.tokens = {"new"}
    with open_api(server, tokens=iter(["old", "new"])) as api:
        results: list[Any] = []
        threads = [threading.Thread(target=lambda: results.append(api.list(PODS))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8


def test_credentials_that_stay_refused_are_an_error(server: FakeApi) -> None:
    server.tokens = set()
    with open_api(server, tokens=iter(["old", "new"])) as api, pytest.raises(ApiError) as caught:
        api.get(PODS)
    assert caught.value.code == 401
    assert len(server.received) == 2


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured_within_a_bound(server: FakeApi, code: int) -> None:
    pauses: list[float] = []
    busy = refusal(code, "Busy", "busy")
    server.plan("PATCH", PODS, Answer(code, busy.body, {"Retry-After": "7"}))
    server.plan("PATCH", PODS, Answer(code, busy.body, {"Retry-After": "99999999999"}))
    server.plan("PATCH", PODS, Answer(200, b"{}"))
    with open_api(server, pause=pauses.append) as api:
        api.patch(PODS, {})
    assert pauses == [7.0, 10.0]


def test_a_server_that_stays_busy_is_an_error(server: FakeApi, api: Api) -> None:
    server.plan("GET", PODS, refusal(503, "ServiceUnavailable", "etcd is away"), times=100)
    with pytest.raises(ApiError, match="etcd is away"):
        api.get(PODS)
    assert len(server.received) == 4


def test_a_failed_change_is_not_repeated(server: FakeApi, api: Api) -> None:
    server.plan("PATCH", PODS, refusal(500, "InternalError", "boom"), times=2)
    with pytest.raises(ApiError, match="boom"):
        api.patch(PODS, {})
    assert len(server.received) == 1


def test_a_read_over_a_dropped_connection_is_repeated(server: FakeApi, api: Api) -> None:
    server.plan("GET", PODS, Answer(reset=True), times=2)
    assert api.list(PODS)[0] == []


def test_a_change_over_a_dropped_connection_is_not_repeated(server: FakeApi, api: Api) -> None:
    server.plan("PATCH", PODS, Answer(reset=True))
    with pytest.raises(Unreachable, match="Unable to connect to the server"):
        api.patch(PODS, {})
    assert len(server.received) == 1


def test_a_redirect_is_never_followed_with_our_credentials(server: FakeApi, api: Api) -> None:
    server.plan("GET", PODS, Answer(302, b"", {"Location": "https://127.0.0.1:1/steal"}))
    with pytest.raises(ApiError, match="HTTP 302"):
        api.get(PODS)


def test_a_server_that_is_away_is_unreachable_by_name(server: FakeApi) -> None:
    with open_api(server) as api:
        server.stop()
        with pytest.raises(Unreachable, match=f"^Unable to connect.*: {server.url}: Connection refused$"):
            api.get(PODS)


def test_a_silent_server_costs_the_timeout(server: FakeApi) -> None:
    server.plan("GET", PODS, Answer(after=lambda: server.stopping.wait(30)))
    with open_api(server, request_timeout=0.2) as api, pytest.raises(Unreachable, match="no answer in time"):
        api.get(PODS)
    server.stopping.set()


def test_a_watch_brings_what_happens_after_the_list(server: FakeApi, api: Api) -> None:
    server.store.put("Pod", "before", namespace="shop")
    _, version = api.list(PODS)
    stop = threading.Event()
    events, thread = collect(api, server, stop, version)
    server.store.put("Pod", "web-1", namespace="shop")
    server.store.put("Pod", "elsewhere", namespace="other")
    server.store.bookmark()
    server.store.delete("Pod", "web-1", namespace="shop")
    assert server.wait_for(lambda: len(events) == 3)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK", "DELETED"]
    assert events[0]["object"]["kind"] == "Pod"


def test_a_silent_watch_ends_when_told_to(server: FakeApi, api: Api) -> None:
    stop = threading.Event()
    _, thread = collect(api, server, stop, "100")
    stop.set()
    thread.join(3)
    assert not thread.is_alive()


def test_a_watch_that_the_server_ends_just_ends(server: FakeApi, api: Api) -> None:
    _, thread = collect(api, server, threading.Event(), "100")
    server.end_watches()
    thread.join(3)
    assert not thread.is_alive()


def test_a_watch_over_a_cut_connection_just_ends(server: FakeApi, api: Api) -> None:
    _, thread = collect(api, server, threading.Event(), "100")
    server.drop_connections()
    thread.join(3)
    assert not thread.is_alive()


def test_a_version_that_is_too_old_is_gone(server: FakeApi, api: Api) -> None:
    server.store.compact()
    with pytest.raises(Gone, match="too old resource version"):
        list(api.watch(PODS, "1", stop=threading.Event()))
    server.plan("GET", PODS, refusal(410, "Expired", "too old resource version"))
    with pytest.raises(Gone):
        list(api.watch(PODS, "1", stop=threading.Event()))


def test_any_other_error_event_is_raised_as_it_is(server: FakeApi, api: Api) -> None:
    status = {"kind": "Status", "code": 500, "message": "etcd is away", "reason": "InternalError"}
    line = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
    server.plan("GET", PODS, Answer(200, b"\n" + line))
    with pytest.raises(ApiError, match="etcd is away"):
        list(api.watch(PODS, "1", stop=threading.Event()))


def test_a_watch_asks_for_bookmarks_and_an_end(server: FakeApi, api: Api) -> None:
    server.plan("GET", PODS, Answer(200, b""))
    assert list(api.watch(PODS, "17", stop=threading.Event(), query={"labelSelector": "a=b"})) == []
    assert server.received[0].query == {
        "labelSelector": ["a=b"],
        "watch": ["true"],
        "allowWatchBookmarks": ["true"],
        "timeoutSeconds": ["240"],
        "resourceVersion": ["17"],
    }


def test_websocket_settings_are_the_same_server_and_user(server: FakeApi, api: Api) -> None:
    settings = api.websocket_settings()
    assert settings.url == f"wss://127.0.0.1:{server.port}"
    assert list(settings.headers) == [("Authorization", "Bearer good")]
