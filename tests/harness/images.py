"""The images of the cluster: a toolbox out of Debian packages, and the built programs alone in theirs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import layout, oci
from tests.harness.gobuild import Programs
from tests.harness.processes import run

TOOLBOX_PACKAGES = ("python3", "curl", "openssl", "iproute2", "tcpdump", "ca-certificates")
DEBIAN_RELEASE = "bookworm"
# Raised when the archive's own form changes, so that cached archives of the old form are not used.
_FORM = "1"


@dataclass(frozen=True)
class ProgramImage:
    """An image that holds one static program and nothing else."""

    program: str
    reference: str


PROGRAM_IMAGES = (
    ProgramImage("pause", layout.PAUSE_IMAGE),
    ProgramImage("coredns", layout.COREDNS_IMAGE),
    ProgramImage("kube-network-policies", layout.POLICY_IMAGE),
)


def toolbox_archive(cache: Path) -> Path:
    """Where the toolbox is kept: by the hash of what is in it."""
    recipe = (_FORM, DEBIAN_RELEASE, *TOOLBOX_PACKAGES, layout.TOOLBOX_IMAGE, layout.PRODUCT_IMAGE)
    fingerprint = hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]
    return cache / "images" / f"toolbox-{fingerprint}.tar"


def program_archive(image: ProgramImage, programs: Programs, cache: Path) -> Path:
    """Where a program's image is kept: beside the hash of the module that the program comes from."""
    built_from = programs[image.program].parent.name
    return cache / "images" / f"{image.program}-{built_from}-{_FORM}.tar"


def missing_images(programs: Programs, cache: Path) -> list[str]:
    """Names of the images that are not in the cache yet; only the toolbox needs mmdebstrap."""
    absent = [
        image.program for image in PROGRAM_IMAGES if not program_archive(image, programs, cache).is_file()
    ]
    return absent if toolbox_archive(cache).is_file() else ["toolbox", *absent]


def build_images(programs: Programs, cache: Path) -> Sequence[Path]:
    """Build what is not in the cache yet and return all archives, smallest first."""
    archives = []
    for image in PROGRAM_IMAGES:
        archive = program_archive(image, programs, cache)
        if not archive.is_file():
            _build_program_image(archive, image, programs)
        archives.append(archive)
    toolbox = toolbox_archive(cache)
    if not toolbox.is_file():
        _build_toolbox(toolbox)
    return [*archives, toolbox]


def _build_program_image(archive: Path, image: ProgramImage, programs: Programs) -> None:
    layer = oci.layer_of({image.program: oci.File(programs[image.program].read_bytes())})
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".image-") as scratch:
        layer_file = Path(scratch) / "layer.tar"
        layer_file.write_bytes(layer)
        _publish(archive, oci.Image((image.reference,), (f"/{image.program}",)), layer_file)


def _build_toolbox(archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".image-") as scratch:
        layer_file = Path(scratch) / "layer.tar"
        # Without the extras that only a person at the container would miss: half the size.
        run(
            "mmdebstrap",
            "--variant=essential",
            "--components=main",
            f"--include={','.join(TOOLBOX_PACKAGES)}",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            DEBIAN_RELEASE,
            layer_file,
            timeout=900,
        )
        references = (layout.TOOLBOX_IMAGE, layout.PRODUCT_IMAGE)
        _publish(archive, oci.Image(references, ("sh",)), layer_file)


def _publish(archive: Path, image: oci.Image, layer_file: Path) -> None:
    """Write beside the layer, then rename: a killed build leaves no half archive in the cache."""
    unfinished = layer_file.with_suffix(".oci")
    oci.write_archive(unfinished, image, layer_file)
    unfinished.rename(archive)
