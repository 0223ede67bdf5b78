from __future__ import annotations

import gc

import pytest

from kubectl_netpolgen.packets.collection import without_collection


def test_the_collector_is_spared_and_set_to_work_again_whatever_happens() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="x"), without_collection():
        assert not gc.isenabled()
        with without_collection():
            pass
        assert not gc.isenabled()
        raise ValueError("x")
    assert gc.isenabled()
