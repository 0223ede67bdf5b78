"""What the `kubernetes` package leaves out or only logs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from kubectl_netpolgen.cluster.credentials import Access, Kubeconfig, explained
from kubectl_netpolgen.model.errors import ClusterError
from tests.cluster.kubeconfigs import write_kubeconfig, write_plugin

CONTEXTS = {"one": {"cluster": "c", "user": "u"}}
CLUSTERS = {"c": {"server": "https://127.0.0.1:6443"}}


def test_the_as_fields_of_a_user_become_headers(tmp_path: Path) -> None:
    user = {"as": "jane", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"team/x": ["red"]}}
    path = write_kubeconfig(
        tmp_path / "config", current="one", contexts=CONTEXTS, clusters=CLUSTERS, users={"u": user}
    )
    assert Kubeconfig([str(path)], Access()).impersonation() == [
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-team%2Fx", "red"),
    ]


def test_a_user_without_as_fields_sends_none(tmp_path: Path) -> None:
    path = write_kubeconfig(
        tmp_path / "config", current="one", contexts=CONTEXTS, clusters=CLUSTERS, users={"u": {}}
    )
    assert Kubeconfig([str(path)], Access()).impersonation() == []


def test_a_plugin_that_fails_is_an_error_in_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kubernetes import client

    user = {"exec": write_plugin(tmp_path / "plugin")}
    path = write_kubeconfig(
        tmp_path / "config", current="one", contexts=CONTEXTS, clusters=CLUSTERS, users={"u": user}
    )
    source = Kubeconfig([str(path)], Access())
    with pytest.raises(ClusterError, match="you are logged out"), explained(source.name):
        source.load(client.Configuration())
    assert capsys.readouterr().out == ""


def test_whatever_goes_wrong_is_named_by_its_source() -> None:
    with pytest.raises(ClusterError, match=r"^the file: not of a kubeconfig's shape"), explained("the file"):
        raise KeyError("clusters")


def test_our_own_errors_pass_unchanged() -> None:
    with pytest.raises(ClusterError, match=r"^exactly this$"), explained("the file"):
        raise ClusterError("exactly this")


def test_other_libraries_may_log_what_they_like() -> None:
    with explained("the file"):
        logging.getLogger("elsewhere").error("not ours")


def test_no_current_context_names_those_there_are(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "config", contexts=CONTEXTS, clusters=CLUSTERS, users={"u": {}})
    with pytest.raises(ClusterError, match="no current context") as caught:
        Kubeconfig([str(path)], Access())
    assert caught.value.way_out == "choose one of one with --context"
