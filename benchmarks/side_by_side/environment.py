"""The peers that are packages live in `.venv-peers`: by name from the package index, pinned, beside the very
torch that ours uses."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from genlab.errors import UserError
from side_by_side.settings import BENCHMARKS

ROOT = BENCHMARKS.parent
ENVIRONMENT = ROOT / ".venv-peers"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def peers_python() -> Path:
    """The Python of the peers' environment, which is made where it is not there, or pins something else.

    torch comes as the launcher brings it: from PyTorch's CPU index, or the one that GENLAB_TORCH_INDEX names,
    where there is no NVIDIA GPU. Raises UserError."""
    python = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    built = ENVIRONMENT / "built-peers"
    constraints = ROOT / "constraints.txt"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + constraints.read_bytes()).hexdigest()
    if python.exists() and built.exists() and built.read_text("ascii") == wanted:
        return python
    print(f"installing the peers into {ENVIRONMENT.name} (some minutes, once) …", flush=True)
    sys.path.insert(0, str(ROOT / "launcher"))
    from machine import SetupError
    from packages import Pip, install_torch

    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        pip = Pip(python, constraints)
        pip.renew()
        install_torch(pip)
        pip.install("-r", str(REQUIREMENTS))
    except SetupError as error:
        raise UserError(f"the peers' environment: {error}") from error
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"{ENVIRONMENT} could not be made ({error}); leave the pythae networks out with --networks"
        ) from error
    built.write_text(wanted, "ascii")
    return python
