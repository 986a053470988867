"""What the processes of one web server count is added up, whatever becomes of one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from crs_app.metrics import shared

NOBODY = 2**22 + 5
"""No process has an id so large (proc(5), ``pid_max``)."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a web server, empty."""
    monkeypatch.setattr(shared, "_MEMORY", tmp_path)
    monkeypatch.setenv(shared.FOLDER, "of another one")
    return shared.prepare_folder()


def write(folder: Path, process: int, saves: float, bucket: float = 0) -> None:
    """What a process counted."""
    counter = MmapedDict(str(folder / f"counter_{process}.db"))
    counter.write_value(mmap_key("s", "s_total", ["kind"], ["vitals"], "h"), saves, 0)
    counter.close()
    histogram = MmapedDict(str(folder / f"histogram_{process}.db"))
    histogram.write_value(mmap_key("t", "t_bucket", ["le"], ["1.0"], "h"), bucket, 0)
    histogram.write_value(mmap_key("t", "t_sum", [], [], "h"), bucket / 2, 0)
    histogram.close()


def sums(folder: Path) -> dict[str, float]:
    found = MultiProcessCollector(None, path=str(folder)).collect()
    return {one.name: one.value for family in found for one in family.samples}


def test_ended_processes_are_counted_once_in_one_pair_of_files(folder: Path) -> None:
    living = os.getppid()
    for process, saves in ((NOBODY, 3), (NOBODY + 1, 4), (living, 5)):
        write(folder, process, saves, bucket=saves)
    expected = {"s_total": 12.0, "t_bucket": 12.0, "t_count": 12.0, "t_sum": 6.0}
    assert sums(folder) == expected
    shared.keep_counts_of_ended()
    assert sorted(path.name for path in folder.glob("counter_*")) == sorted(
        ["counter_0.db", f"counter_{living}.db"]
    )
    assert sums(folder) == expected
    for process in range(NOBODY, NOBODY + 20):
        write(folder, process, saves=1)
        shared.keep_counts_of_ended()
    assert sums(folder) == expected | {"s_total": 32.0}
    assert len(list(folder.iterdir())) == 5


def test_nobody_reads_half_of_it(folder: Path) -> None:
    """While the files are read they stay, and the web server does not wait."""
    write(folder, NOBODY, 3)
    with shared.whole_counts(folder):
        shared.keep_counts_of_ended()
        assert (folder / f"counter_{NOBODY}.db").exists()
    shared.keep_counts_of_ended()
    assert not (folder / f"counter_{NOBODY}.db").exists()
    assert sums(folder)["s_total"] == 3


def test_folders_of_killed_web_servers_are_removed(folder: Path) -> None:
    memory = folder.parent
    killed, serving = memory / f"crs-metrics-{NOBODY}-x", memory / f"crs-metrics-{os.getppid()}-x"
    for other in (killed, serving, memory / "of-somebody-else"):
        other.mkdir()
    again = shared.prepare_folder()
    assert sorted(path.name for path in memory.iterdir()) == sorted(
        [serving.name, "of-somebody-else", again.name]
    )
    assert again.stat().st_mode & 0o077 == 0
    shared.remove_folder()
    assert not again.exists()
    assert serving.exists()


def test_a_worker_without_memory_counts_alone_and_serves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        shared.reserve_files()
    assert shared.shared_folder() is None


def test_a_process_that_counts_continues_in_its_reserved_files(folder: Path) -> None:
    """The library is imported by the master first, which counts nothing."""
    script = (
        "import os\n"
        "from prometheus_client import mmap_dict\n"
        "from crs_app.metrics.shared import reserve_files, keep_counts_of_ended\n"
        "if os.fork() == 0:\n"
        "    reserve_files()\n"
        "    from crs_app.metrics.counts import workers_started\n"
        "    workers_started.inc()\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "keep_counts_of_ended()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    kept = {path.name: path.stat().st_size for path in folder.glob("*.db")}
    assert kept == {f"{kind}_0.db": size for kind, size in shared.RESERVED.items()}
    assert sums(folder)["crs_workers_started_total"] == 1
