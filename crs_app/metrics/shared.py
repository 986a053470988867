"""The folder in memory in which the processes of one web server count, for ``gunicorn_config``.

Each worker has two files of its own there (``prometheus_client``, "Multiprocess Mode"), and
/metrics adds up all. What a worker counted outlives it: the master adds the files of ended workers
to one pair, so that restarts neither lose a count nor fill the memory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of the environment that ``prometheus_client`` reads."""
RESERVED: Final = {"counter": 256 * 1024, "histogram": 1024 * 1024}
"""Bytes of a file of each kind: more than every view, kind and outcome of the site needs."""
_PREFIX: Final = "crs-metrics-"
_MEMORY: Final = Path("/dev/shm")  # nosec B108 # noqa: S108 - mkdtemp makes a folder of its own there
_OF_ENDED: Final = 0
"""Stands in the place of a process id: no process has this one."""


def prepare_folder() -> Path:
    """Make the folder of this web server, and name it to the workers to come.

    Folders of web servers that were killed are removed.
    """
    memory = _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    for folder in memory.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid() and not _lives(_owner_of(folder)):
                shutil.rmtree(folder)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=memory))
    _lock_of(made).touch()
    os.environ[FOLDER] = str(made)
    return made


def remove_folder() -> None:
    """Remove the folder of this web server, where it has one."""
    if (folder := shared_folder()) and _owner_of(folder) == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def shared_folder() -> Path | None:
    """Return the folder of this web server; None for a process that counts alone."""
    name = os.environ.get(FOLDER)
    return Path(name) if name else None


def reserve_files() -> None:
    """Reserve the memory of this worker's files; it counts alone where there is none.

    Without this a write to a file that memory has no room for would end the worker (SIGBUS).
    """
    if folder := shared_folder():
        try:
            for kind, size in RESERVED.items():
                _reserve(_file(folder, kind, os.getpid()), size)
        except OSError:
            del os.environ[FOLDER]
            raise


@contextmanager
def whole_counts(folder: Path) -> Iterator[None]:
    """Keep the files as they are while they are added up."""
    with _lock_of(folder).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def keep_counts_of_ended() -> None:
    """Add the files of workers that have ended to the pair that is kept.

    It never waits: while somebody reads the files they stay, and are added when the next worker
    ends.
    """
    folder = shared_folder()
    if folder is None:
        return
    with _lock_of(folder).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for kind in RESERVED:
            kept = _file(folder, kind, _OF_ENDED)
            files = [file for file in folder.glob(f"{kind}_*.db") if file != kept]
            ended = [file for file in files if not _lives(_process_of(file))]
            if ended:
                _add_up(kept, ended, RESERVED[kind])


def _add_up(kept: Path, ended: list[Path], size: int) -> None:
    """Write the sums of ``ended`` and of what was ``kept`` before to a new file in its place."""
    from prometheus_client.mmap_dict import MmapedDict  # only where a worker has ended

    sums: dict[str, float] = {}
    for file in [*ended, *([kept] if kept.exists() else [])]:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
            sums[key] = sums.get(key, 0.0) + value
    new = kept.with_suffix(".new")
    new.unlink(missing_ok=True)
    _reserve(new, size)
    written = MmapedDict(str(new))
    for key, value in sums.items():
        written.write_value(key, value, 0.0)
    written.close()
    new.replace(kept)
    for file in ended:
        file.unlink()


def _reserve(file: Path, size: int) -> None:
    """Write zeros: unlike a file that is only made longer, this one has its memory."""
    if not file.exists():
        file.write_bytes(bytes(size))


def _file(folder: Path, kind: str, process: int) -> Path:
    return folder / f"{kind}_{process}.db"


def _process_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _lock_of(folder: Path) -> Path:
    return folder / "lock"


def _owner_of(folder: Path) -> int:
    owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
    return int(owner) if owner.isdigit() else 0


def _lives(process: int) -> bool:
    """Return whether another process of this id lives; this one has no folder yet."""
    if process in (0, os.getpid()):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
