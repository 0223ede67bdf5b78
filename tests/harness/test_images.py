"""Which images there are, and when a cached one may be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import gobuild, images, layout


def test_the_addons_use_the_images_that_are_built() -> None:
    manifest = (Path(images.__file__).parent / "addons.yaml").read_text(encoding="utf-8")
    for reference in (layout.COREDNS_IMAGE, layout.POLICY_IMAGE):
        assert f"image: {reference}" in manifest


def test_a_toolbox_of_other_packages_is_another_toolbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = images.toolbox_archive(tmp_path)
    monkeypatch.setattr(images, "TOOLBOX_PACKAGES", (*images.TOOLBOX_PACKAGES, "jq"))
    assert images.toolbox_archive(tmp_path) != before


def test_programs_are_packed_once_and_then_found(tmp_path: Path) -> None:
    names = {image.program: tmp_path / "module-1" / image.program for image in images.PROGRAM_IMAGES}
    for path in names.values():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"program")
    programs = gobuild.Programs(names)
    assert images.missing_images(programs, tmp_path) == [
        "toolbox",
        "pause",
        "coredns",
        "kube-network-policies",
    ]
    # The toolbox needs a machine with mmdebstrap; an empty file stands in for it.
    toolbox = images.toolbox_archive(tmp_path)
    toolbox.parent.mkdir()
    toolbox.touch()
    archives = images.build_images(programs, tmp_path)
    assert archives[-1] == toolbox
    assert images.missing_images(programs, tmp_path) == []
    assert sorted(path.name for path in toolbox.parent.iterdir()) == sorted(path.name for path in archives)
