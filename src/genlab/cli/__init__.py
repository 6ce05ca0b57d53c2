"""The command line: a face of the library. No command imports torch before it needs a tensor."""

from __future__ import annotations

import os
import sys

from genlab import beforehand
from genlab.cli.devices import LOST
from genlab.cli.root import app
from genlab.errors import UserError
from genlab.ranks import LostRankError


def main() -> None:
    """Run `genlab`. A user's mistake is one sentence on standard error, and exit code 2."""
    load_commands()
    beforehand.prepare()
    try:
        app(prog_name="genlab")
    except LostRankError as error:
        if os.environ.get("GENLAB_LAUNCHED") or os.environ.get("RANK") != "0":
            raise SystemExit(LOST) from error  # who started it says so, or rank 0
        fail(str(error))
    except UserError as error:
        fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{where}; check the path, the free space and the permissions")


def load_commands() -> None:
    """Let every command be added to `app`."""
    from genlab.cli import (  # noqa: F401  (each adds its commands to `app`)
        bench,
        bring,
        calibrate,
        compare,
        data,
        exercise,
        export,
        lesson,
        look,
        measure,
        take,
        train,
        use,
    )


def fail(sentence: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("genlab: ", style="bold red") + Text(sentence))
    raise SystemExit(2)


if __name__ == "__main__":
    main()
