"""From flags and files to a server that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netpolgen.cluster.exec import execute
from kubectl_netpolgen.cluster.kubeconfig import Access, connect
from kubectl_netpolgen.cluster.status import ApiError, Unreachable
from kubectl_netpolgen.model.errors import ClusterError
from tests.cluster.connect_proxy import connect_proxy
from tests.cluster.fake_api import FakeApi
from tests.cluster.fake_api import exec_wire as wire
from tests.cluster.fake_api.certificates import SERVER_NAME, make_certificate, make_lenient_certificate
from tests.cluster.kubeconfigs import cluster_of, write_kubeconfig, write_plugin


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


def simple(path: Path, server: FakeApi, *, context: str = "one", namespace: str = "") -> Path:
    return write_kubeconfig(
        path,
        current=context,
        contexts={context: {"cluster": context, "user": context, "namespace": namespace}},
        clusters={context: cluster_of(server)},
        users={context: {"token": "good"}},
    )


def test_a_kubeconfig_leads_to_its_server(tmp_path: Path, server: FakeApi) -> None:
    path = simple(tmp_path / "config", server, namespace="shop")
    with connect(Access(kubeconfig=str(path)), {}) as api:
        assert api.get("/version")["gitVersion"] == "v1.34.4"
        assert (api.context, api.namespace, api.server) == ("one", "shop", server.url)


def test_commands_go_the_same_way(tmp_path: Path, server: FakeApi) -> None:
    server.on_exec = lambda request: wire.prints(b"hello")
    path = simple(tmp_path / "config", server)
    with connect(Access(kubeconfig=str(path)), {}) as api:
        assert execute(api, "shop", "web-1", container="c", command=["true"]).stdout == b"hello"


def test_the_variable_and_the_home_directory_are_those_handed_in(tmp_path: Path, server: FakeApi) -> None:
    (tmp_path / ".kube").mkdir()
    simple(tmp_path / ".kube" / "config", server, context="home")
    simple(tmp_path / "other", server, context="listed")
    with connect(Access(), {"HOME": str(tmp_path)}) as api:
        assert api.context == "home"
    with connect(Access(), {"HOME": str(tmp_path), "KUBECONFIG": f"/missing:{tmp_path / 'other'}"}) as api:
        assert api.context == "listed"


def test_of_several_files_the_first_current_context_counts(tmp_path: Path, server: FakeApi) -> None:
    first = simple(tmp_path / "first", server, context="one")
    second = simple(tmp_path / "second", server, context="two")
    files = {"KUBECONFIG": f"{first}:{second}"}
    with connect(Access(), files) as api:
        assert api.context == "one"
    with connect(Access(context="two"), files) as api:
        assert api.context == "two"
        api.get("/version")


def test_flags_override_the_context(tmp_path: Path, server: FakeApi) -> None:
    path = write_kubeconfig(
        tmp_path / "config",
        current="dead",
        contexts={"dead": {"cluster": "dead", "user": "nobody", "namespace": "a"}},
        clusters={"dead": {"server": "https://127.0.0.1:1"}, "fake": cluster_of(server)},
        users={"nobody": {"token": "bad"}, "tester": {"token": "good"}},
    )
    access = Access(kubeconfig=str(path), cluster="fake", user="tester", namespace="b")
    with connect(access, {}) as api:
        assert api.get("/version")
        assert (api.context, api.namespace) == ("dead", "b")
    access = Access(kubeconfig=str(path), cluster="fake", user="tester", server=f"localhost:{server.port}")
    with connect(access, {}) as api:
        assert api.get("/version")
        assert api.server == f"https://localhost:{server.port}"


@pytest.mark.parametrize(
    ("access", "message", "way_out"),
    [
        (Access(context="prod"), 'context "prod" does not exist', "choose one of one with --context"),
        (Access(cluster="prod"), 'cluster "prod" of context "one" does not exist', "--cluster"),
        (Access(user="boss"), 'user "boss" of context "one" does not exist', "--user"),
        (Access(impersonate_groups=("g",)), "need a user", "--as"),
        (Access(kubeconfig="/missing/config"), "/missing/config: no such kubeconfig", "--kubeconfig"),
    ],
)
def test_what_does_not_exist_is_named(
    tmp_path: Path, server: FakeApi, access: Access, message: str, way_out: str
) -> None:
    path = simple(tmp_path / "config", server)
    with pytest.raises(ClusterError) as caught:
        connect(access, {"KUBECONFIG": str(path)})
    assert message in caught.value.message
    assert way_out in caught.value.way_out


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "just text", "contexts: 7", "contexts: [7]", "contexts: [{context: {}}]", "a: b\n\tc: d"],
)
def test_a_file_of_another_shape_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ClusterError, match="config"):
        connect(Access(kubeconfig=str(path)), {})


def test_no_kubeconfig_at_all_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"\.kube/config: no such kubeconfig"):
        connect(Access(), {"HOME": str(tmp_path)}, service_account=tmp_path / "none")


def test_a_service_account_counts_only_without_a_kubeconfig(tmp_path: Path, server: FakeApi) -> None:
    (tmp_path / "token").write_text("good")
    (tmp_path / "namespace").write_text("shop")
    (tmp_path / "ca.crt").write_text(server.certificate.certificate.read_text())
    variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
    server.tokens = {"bearer good"}
    with connect(Access(), variables, service_account=tmp_path) as api:
        assert api.get("/version")
        assert (api.context, api.namespace) == ("", "shop")
    path = simple(tmp_path / "config", server)
    with connect(Access(), {**variables, "KUBECONFIG": str(path)}, service_account=tmp_path) as api:
        assert api.context == "one"


def test_impersonation_sends_a_header_for_every_group(tmp_path: Path, server: FakeApi) -> None:
    path = simple(tmp_path / "config", server)
    groups = ("dev", "a,b")
    access = Access(kubeconfig=str(path), impersonate="jane", impersonate_groups=groups, impersonate_uid="7")
    with connect(access, {}) as api:
        api.get("/version")
        assert ("Impersonate-Group", "dev") in api.websocket_settings().headers
    headers = server.received[0].headers
    assert (headers["Impersonate-User"], headers["Impersonate-Uid"]) == ("jane", "7")
    assert server.received[0].all_headers.count(("Impersonate-Group", "dev")) == 1
    assert server.received[0].all_headers.count(("Impersonate-Group", "a,b")) == 1


def test_a_name_that_the_certificate_lacks_is_refused_and_can_be_given(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, names=f"DNS:{SERVER_NAME}")
    with FakeApi(certificate) as server:
        server.on_exec = lambda request: wire.prints(b"hello")
        path = simple(tmp_path / "config", server)
        with (
            connect(Access(kubeconfig=str(path)), {}) as api,
            pytest.raises(Unreachable, match="certificate"),
        ):
            api.get("/version")
        with connect(Access(kubeconfig=str(path), tls_server_name=SERVER_NAME), {}) as api:
            assert api.get("/version")
            assert execute(api, "shop", "web-1", container="c", command=["true"]).stdout == b"hello"


def test_an_authority_that_python_finds_too_plain_is_trusted_as_kubectl_trusts_it(tmp_path: Path) -> None:
    certificate, authority = make_lenient_certificate(tmp_path, names="IP:127.0.0.1")
    with FakeApi(certificate) as server:
        server.on_exec = lambda request: wire.prints(b"hello")
        path = write_kubeconfig(
            tmp_path / "config",
            current="one",
            contexts={"one": {"cluster": "one", "user": "one"}},
            clusters={"one": cluster_of(server, **{"certificate-authority": str(authority)})},
            users={"one": {"token": "good"}},
        )
        with connect(Access(kubeconfig=str(path)), {}) as api:
            assert api.get("/version")
            assert execute(api, "shop", "web-1", container="c", command=["true"]).stdout == b"hello"


def test_verification_can_be_switched_off(tmp_path: Path, server: FakeApi) -> None:
    server.on_exec = lambda request: wire.prints(b"hello")
    path = write_kubeconfig(
        tmp_path / "config",
        current="one",
        contexts={"one": {"cluster": "one", "user": "one"}},
        clusters={"one": {"server": server.url}},
        users={"one": {"token": "good"}},
    )
    with connect(Access(kubeconfig=str(path)), {}) as api, pytest.raises(Unreachable, match="certificate"):
        api.get("/version")
    with connect(Access(kubeconfig=str(path), insecure_skip_tls_verify=True), {}) as api:
        assert api.get("/version")
        assert execute(api, "shop", "web-1", container="c", command=["true"]).stdout == b"hello"


def test_a_credential_plugin_is_asked_again_after_a_refusal(tmp_path: Path, server: FakeApi) -> None:
    server.tokens = {"second"}
    path = write_kubeconfig(
        tmp_path / "config",
        current="one",
        contexts={"one": {"cluster": "one", "user": "one"}},
        clusters={"one": cluster_of(server)},
        users={"one": {"exec": write_plugin(tmp_path / "plugin", "first", "second")}},
    )
    with connect(Access(kubeconfig=str(path)), {}) as api:
        assert api.get("/version")
        with pytest.raises(ClusterError, match="exec: process returned 3"):
            server.tokens = set()
            api.get("/version")


def test_a_server_alone_needs_no_kubeconfig(tmp_path: Path) -> None:
    access = Access(server="http://127.0.0.1:1")
    with (
        connect(access, {"HOME": str(tmp_path)}, service_account=tmp_path) as api,
        pytest.raises(Unreachable, match="Connection refused"),
    ):
        api.get("/version")


def test_a_refused_token_is_the_servers_word(tmp_path: Path, server: FakeApi) -> None:
    path = server.kubeconfig(tmp_path, token="bad")
    with connect(Access(kubeconfig=str(path)), {}) as api, pytest.raises(ApiError, match="Unauthorized"):
        api.get("/version")


@pytest.fixture
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("no_proxy_variables")
def test_requests_and_commands_go_through_the_clusters_proxy(tmp_path: Path, server: FakeApi) -> None:
    server.on_exec = lambda request: wire.prints(b"hello")
    with connect_proxy() as (proxy, asked):
        path = write_kubeconfig(
            tmp_path / "config",
            current="one",
            contexts={"one": {"cluster": "one", "user": "one"}},
            clusters={"one": cluster_of(server, **{"proxy-url": proxy})},
            users={"one": {"token": "good"}},
        )
        with connect(Access(kubeconfig=str(path)), {}) as api:
            assert api.get("/version")
            assert execute(api, "shop", "web-1", container="c", command=["true"]).stdout == b"hello"
        assert asked == [f"127.0.0.1:{server.port}"] * 2


@pytest.mark.usefixtures("no_proxy_variables")
def test_a_command_through_a_proxy_of_https_says_what_to_do(tmp_path: Path, server: FakeApi) -> None:
    path = write_kubeconfig(
        tmp_path / "config",
        current="one",
        contexts={"one": {"cluster": "one", "user": "one"}},
        clusters={"one": cluster_of(server, **{"proxy-url": "https://proxy.test:1"})},
        users={"one": {"token": "good"}},
    )
    with (
        connect(Access(kubeconfig=str(path)), {}) as api,
        pytest.raises(ClusterError, match=r"a proxy of https: proxy\.test") as caught,
    ):
        execute(api, "shop", "web-1", container="c", command=["true"])
    assert "NO_PROXY" in caught.value.way_out
