"""The next address of a node, as its host-local plugin keeps it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.e2e.wide.addresses import give_again

GIVEN = ("fd00:10:244:1::f", "10.244.1.15")


def test_the_address_before_is_the_last_one_given_once_it_is_free(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "10.244.1.15").touch()
    freeing = threading.Timer(0.2, (tmp_path / "10.244.1.15").unlink)
    freeing.start()

    give_again(tmp_path, GIVEN)

    freeing.join()
    kept = [(tmp_path / f"last_reserved_ip.{number}").read_text() for number in range(2)]
    assert kept == ["10.244.1.14", "fd00:10:244:1::e"]


def test_an_address_that_stays_in_use_is_not_given_twice(tmp_path: Path) -> None:
    (tmp_path / "10.244.1.15").touch()

    with pytest.raises(AssertionError, match="still in use"):
        give_again(tmp_path, GIVEN, timeout=0.1)
