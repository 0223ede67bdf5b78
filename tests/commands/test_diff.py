"""`diff` from the command line: two sides in, what differs out, the exit status of kubectl diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from tests.cli.factories import Heard, an_environment
from tests.commands.test_connectivity import SHOP


def diff(directory: Path, *words: str, piped: str = "") -> tuple[int, Heard]:
    heard = Heard(an_environment(directory=directory, answers=piped))
    return main(["kubectl-netpolgen", "diff", *words], heard.environment), heard


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(SHOP)
    (tmp_path / "b.yaml").write_text(SHOP.replace("8080", "8081"))
    return tmp_path


def test_what_differs_is_listed_and_the_status_is_one(sides: Path) -> None:
    status, heard = diff(sides, "a.yaml", "b.yaml")
    assert status == ExitStatus.ERROR
    assert heard.stdout.splitlines()[1].split() == (
        ["changed", "shop/Deployment/web", "shop/Deployment/api", "TCP", "8080", "TCP", "8081"]
    )
    assert heard.stderr == "incomparable: 1 pair changed\n"


def test_nothing_different_is_status_zero_and_no_output(sides: Path) -> None:
    status, heard = diff(sides, "a.yaml", "a.yaml")
    assert (status, heard.stdout) == (ExitStatus.DONE, "")
    assert heard.stderr == "equivalent: 0 pairs changed\n"


def test_programs_and_pull_requests_get_their_forms(sides: Path) -> None:
    _, heard = diff(sides, "a.yaml", "-", "-o", "json", piped=SHOP)
    assert json.loads(heard.stdout)["relation"] == "equivalent"
    _, heard = diff(sides, "a.yaml", "b.yaml", "-o", "md")
    assert heard.stdout.startswith("**incomparable**: 1 pair changed\n\n| change |")


def test_no_answer_is_more_than_one(sides: Path) -> None:
    (sides / "bad.yaml").write_text(SHOP.replace("port: 8080", "port: 99999"))
    for words in (("a.yaml", "nowhere"), ("a.yaml", "bad.yaml"), ("-", "-"), ("a.yaml",)):
        status, heard = diff(sides, *words)
        assert (status, heard.stdout) == (ExitStatus.USAGE, "")
        assert heard.stderr


def test_one_of_its_own_bundles_is_a_side(sides: Path) -> None:
    heard = Heard(an_environment(directory=sides))
    assert main(["kubectl-netpolgen", "demo", "--bundle", "run"], heard.environment) == ExitStatus.DONE
    status, heard = diff(sides, "run", "run", "-o", "json")
    assert status == ExitStatus.DONE
    assert json.loads(heard.stdout)["items"] == []
    for policy in (sides / "run" / "policies").glob("*cartservice*"):
        policy.write_text(policy.read_text().replace("7070", "7071"))
    heard = Heard(an_environment(directory=sides))
    assert main(["kubectl-netpolgen", "demo", "--bundle", "fresh"], heard.environment) == ExitStatus.DONE
    status, heard = diff(sides, "fresh", "run", "-o", "json")
    found = json.loads(heard.stdout)
    assert status == ExitStatus.ERROR
    assert found["items"][0]["observed"] is True
    assert found["items"][0]["destination"] == {"workload": "boutique/Deployment/cartservice"}
