"""``tillway`` as the console script runs it, in the test's own process: a start costs a second."""

import gc
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from tillway.cli import main


@dataclass(frozen=True)
class Ended:
    """What a command has said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def tillway(*words: str) -> Ended:
    """Run a command to its end. For one that serves and has to be killed, start a process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["tillway", *words])
        patch.setattr(gc, "set_threshold", lambda *_: None)  # the process is not the command's
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return Ended(ended.value.code, out.getvalue(), err.getvalue())
