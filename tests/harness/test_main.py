"""The command line: what a shell may evaluate goes to standard output, the rest does not."""

from __future__ import annotations

import pytest

from tests.harness import __main__ as command
from tests.harness.cluster import Harness, Progress
from tests.harness.errors import HarnessError


def test_up_prints_only_the_export_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(self: Harness, count: int, progress: Progress) -> None:
        progress(f"{count} nodes ready")

    monkeypatch.setattr(Harness, "up", up)
    assert command.main(["up", "--nodes", "3"]) == 0
    said = capsys.readouterr()
    assert said.out == f"export KUBECONFIG={Harness().where.admin_kubeconfig}\n"
    assert said.err == "3 nodes ready\n"


def test_an_error_is_one_message_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def down(self: Harness) -> None:
        raise HarnessError("not root")

    monkeypatch.setattr(Harness, "down", down)
    assert command.main(["down"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "error: not root\n")


def test_an_interrupted_up_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(self: Harness, count: int, progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Harness, "up", up)
    assert command.main(["up"]) == command.INTERRUPTED
    assert "starts anew" in capsys.readouterr().err


@pytest.mark.parametrize(("healthy", "status"), [(True, 0), (False, 3)])
def test_status_answers_by_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], healthy: bool, status: int
) -> None:
    monkeypatch.setattr(Harness, "status", lambda self: (healthy, ["a", "b"]))
    assert command.main(["status"]) == status
    assert capsys.readouterr().out == "a\nb\n"


@pytest.mark.parametrize("arguments", [[], ["sideways"], ["up", "--nodes", "0"]])
def test_nonsense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
