"""Clients with environments of their own against the running app: `make clients`. A line for each method."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.server import ROOT, running_app

HERE = Path(__file__).parent


def main(python: str) -> int:
    """`python` is the interpreter of the environment with the Python clients."""
    with running_app() as url:
        commands = (
            [python, str(HERE / "python_clients.py"), url],
            ["node", str(HERE / "openai_client.mjs"), url],
        )
        return max(subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
