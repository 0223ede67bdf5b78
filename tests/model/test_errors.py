"""Every error has its exit status and its way out."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.errors import (
    BundleError,
    ClusterError,
    ExitStatus,
    NetpolgenError,
    NothingCaptured,
    UsageError,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (NetpolgenError, ExitStatus.ERROR),
        (ClusterError, ExitStatus.ERROR),
        (BundleError, ExitStatus.ERROR),
        (UsageError, ExitStatus.USAGE),
        (NothingCaptured, ExitStatus.NOTHING),
    ],
)
def test_error_says_what_the_shell_is_told(kind: type[NetpolgenError], status: ExitStatus) -> None:
    error = kind("pod shop/web-1: gone", way_out="capture again")
    assert error.status is status
    assert (str(error), error.message, error.way_out) == (
        "pod shop/web-1: gone",
        "pod shop/web-1: gone",
        "capture again",
    )


def test_statuses_are_the_documented_numbers() -> None:
    assert [int(status) for status in ExitStatus] == [0, 1, 2, 3, 4, 130]
