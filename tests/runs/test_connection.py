"""kubectl's connection flags as values."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.kubeconfig import Access
from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.runs.connection import access_from, named_namespaces, namespaces_from
from tests.cluster.fake_api import FakeApi, open_api
from tests.commands.arguments import parsed


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server, namespace="of-the-context") as opened:
        yield opened


def test_no_flag_leaves_everything_to_the_kubeconfig() -> None:
    assert access_from(parsed()) == Access()


def test_every_flag_arrives() -> None:
    arguments = parsed(
        kubeconfig="k",
        context="c",
        cluster="l",
        user="u",
        server="s",
        namespace="b,a",
        as_user="jane",
        as_group=["g", "h"],
        as_uid="7",
        request_timeout=5.0,
        tls_server_name="t",
        insecure_skip_tls_verify=True,
    )
    assert access_from(arguments) == Access(
        "k", "c", "l", "u", "s", "b", "jane", ("g", "h"), "7", 5.0, "t", True
    )


def test_a_request_timeout_of_zero_is_none() -> None:
    assert access_from(parsed(request_timeout=0.0)).request_timeout is None


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, ()), ("", ()), ("shop", ("shop",)), ("b,a,b", ("b", "a")), (",a,", ("a",)), ("9-x", ("9-x",))],
)
def test_namespaces_are_a_list_each_once(text: str | None, names: tuple[str, ...]) -> None:
    assert named_namespaces(parsed(namespace=text)) == names


@pytest.mark.parametrize("text", ["../x", "Shop", "a b", "-a", "a-", "x" * 64, "a\n", "\x1b[2J"])
def test_what_cannot_be_a_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no namespace's name"):
        named_namespaces(parsed(namespace=text))


def test_without_a_flag_it_is_the_contexts_namespace(api: Api) -> None:
    assert namespaces_from(parsed(), api) == ("of-the-context",)


def test_all_namespaces_are_listed(server: FakeApi, api: Api) -> None:
    for name in ("shop", "default"):
        server.store.put("Namespace", name)
    assert namespaces_from(parsed(all_namespaces=True), api) == ("default", "shop")


def test_one_and_all_is_a_contradiction(api: Api) -> None:
    with pytest.raises(UsageError, match="different things"):
        namespaces_from(parsed(all_namespaces=True, namespace="shop"), api)
