"""What an interrupted capture left is listed, and ended only after a yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netpolgen.commands import clean
from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError, UsageError
from tests.cli.factories import Heard, an_environment
from tests.cluster.fake_api import FakeApi
from tests.cluster.fake_api import exec_wire as wire
from tests.commands.arguments import parsed


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


def leave(server: FakeApi, pod: str, state: str) -> None:
    entry = {"name": "npg-0123abcd", "state": {state: {"startedAt": "2026-01-02T03:04:05Z"}}}
    server.store.put(
        "Pod",
        pod,
        namespace="shop",
        spec={"ephemeralContainers": [{"name": "npg-0123abcd"}]},
        status={"phase": "Running", "ephemeralContainerStatuses": [entry]},
    )


def tidy(
    server: FakeApi, directory: Path, *, yes: bool = False, dry_run: str = "none", answers: str | None = None
) -> tuple[ExitStatus, Heard]:
    environment = an_environment(
        variables={"KUBECONFIG": str(server.kubeconfig(directory))},
        answers=answers or "",
        stdin_is_terminal=answers is not None,
    )
    heard = Heard(environment)
    options = clean.complete(parsed(namespace="shop", yes=yes, dry_run=dry_run), environment)
    clean.validate(options)
    return clean.run(options, environment), heard


def test_nothing_left_is_nothing_to_do(server: FakeApi, tmp_path: Path) -> None:
    status, heard = tidy(server, tmp_path)
    assert (status, heard.stdout, heard.stderr) == (ExitStatus.DONE, "", "no agent runs\n")


def test_ended_entries_are_mentioned_and_left(server: FakeApi, tmp_path: Path) -> None:
    leave(server, "web-1", "terminated")
    status, heard = tidy(server, tmp_path, yes=True)
    assert status is ExitStatus.DONE
    assert "stay in the pods' specs" in heard.stderr
    assert not server.execs


def test_a_dry_run_only_lists(server: FakeApi, tmp_path: Path) -> None:
    leave(server, "web-1", "running")
    status, heard = tidy(server, tmp_path, dry_run="client")
    assert status is ExitStatus.DONE
    assert heard.stdout == (
        "NAMESPACE   POD     CONTAINER      RUN        SINCE\n"
        "shop        web-1   npg-0123abcd   0123abcd   2026-01-02T03:04:05Z\n"
    )
    assert not server.execs


def test_nobody_there_to_say_yes_is_a_usage_error(server: FakeApi, tmp_path: Path) -> None:
    leave(server, "web-1", "running")
    with pytest.raises(UsageError) as caught:
        tidy(server, tmp_path)
    assert "--yes" in caught.value.way_out
    assert not server.execs


def test_a_no_ends_nothing(server: FakeApi, tmp_path: Path) -> None:
    leave(server, "web-1", "running")
    with pytest.raises(NetpolgenError, match="nothing was done"):
        tidy(server, tmp_path, answers="n\n")
    assert not server.execs


@pytest.mark.parametrize(("yes", "answers"), [(True, None), (False, "y\n")])
def test_a_yes_ends_each(server: FakeApi, tmp_path: Path, yes: bool, answers: str | None) -> None:
    leave(server, "web-1", "running")
    leave(server, "web-2", "running")
    status, heard = tidy(server, tmp_path, yes=yes, answers=answers)
    assert status is ExitStatus.DONE
    assert "pod/web-1 agent npg-0123abcd ended\npod/web-2 agent npg-0123abcd ended\n" in heard.stdout
    assert {request.pod for request in server.execs} == {"web-1", "web-2"}


def test_one_that_cannot_be_reached_does_not_save_the_others(server: FakeApi, tmp_path: Path) -> None:
    leave(server, "web-1", "running")
    leave(server, "web-2", "running")
    server.on_exec = lambda request: (
        wire.closes_early(b"") if request.pod == "web-1" else wire.prints(b"npg1\nend\n")
    )
    status, heard = tidy(server, tmp_path, yes=True)
    assert status is ExitStatus.PARTIAL
    assert "pod/web-2 agent npg-0123abcd ended\n" in heard.stdout
    assert "shop/web-1: exec in shop/web-1 (npg-0123abcd): the server closed" in heard.stderr
