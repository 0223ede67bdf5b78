"""Whether a directory would be offered to git: bundles hold traffic, and a commit is hard to take back."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


def committable_in(path: Path) -> Path | None:
    """The top of the git work tree that would take this path as untracked; None where none would.

    Ignore files are read as far as plain patterns go (gitignore(5)); where one says more than that, the
    answer is the cautious one. git itself is not asked, since it may not be installed.
    """
    try:
        path = path.resolve()
    except (OSError, RuntimeError):
        # links in a circle: whoever makes the directory will say so
        return None
    top = _work_tree(path)
    if top is None or _is_ignored(top, path):
        return None
    return top


def _work_tree(path: Path) -> Path | None:
    """The nearest folder above with `.git`: a directory, or a file in submodules and linked work trees."""
    for folder in path.parents:
        try:
            if (folder / ".git").exists():
                return folder
        except OSError:
            # a folder that may not be looked into is no work tree of this user's
            return None
    return None


def _is_ignored(top: Path, path: Path) -> bool:
    """True when the path or a folder above it is ignored; of several patterns the last one decides."""
    ignored = False
    for folder, file in _ignore_files(top, path):
        parts = path.relative_to(folder).parts
        candidates = [PurePosixPath(*parts[: length + 1]) for length in range(len(parts))]
        for pattern in _patterns(file):
            if any(_matches(pattern.removeprefix("!"), candidate) for candidate in candidates):
                ignored = not pattern.startswith("!")
    return ignored


def _ignore_files(top: Path, path: Path) -> Iterator[tuple[Path, Path]]:
    """Each ignore file with the folder that its patterns are relative to, the strongest last."""
    yield top, top / ".git" / "info" / "exclude"
    for folder in reversed(path.parents):
        if folder.is_relative_to(top):
            yield folder, folder / ".gitignore"


def _patterns(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]


def _matches(pattern: str, candidate: PurePosixPath) -> bool:
    """A pattern with a slash before its end is anchored to its file's folder, any other is a name."""
    pattern = pattern.removesuffix("/")
    if "/" not in pattern:
        return fnmatchcase(candidate.name, pattern)
    pattern = pattern.removeprefix("/")
    # fnmatch's stars cross slashes, and git's do not
    if pattern.count("/") != len(candidate.parts) - 1:
        return False
    return fnmatchcase(candidate.as_posix(), pattern)
