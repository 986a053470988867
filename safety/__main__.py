"""Command line: ``python -m safety`` writes the generated pages of docs/safety."""

from __future__ import annotations

import sys

from safety.components import NoPurposeError, components_text, former_text
from safety.hazards import FOLDER, HazardFileError, read_hazards
from safety.matrix import matrix_text


def main() -> int:
    """Write matrix and components; return 1 with the reason where a file is not as it should be."""
    try:
        matrix = matrix_text(read_hazards())
        components = components_text(former_text())
    except (HazardFileError, NoPurposeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    (FOLDER / "matrix.md").write_text(matrix, "utf-8")
    (FOLDER / "components.md").write_text(components, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
