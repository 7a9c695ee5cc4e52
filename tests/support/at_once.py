"""An executor without a thread, for tests that let thousands of seconds pass: changing to a thread
and back costs more than what it is given to do."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

_Words = ParamSpec("_Words")
_Result = TypeVar("_Result")


class AtOnce(Executor):
    """Does what it is given before it returns; whoever awaits it still waits for the loop, unless
    it raises."""

    def submit(
        self, work: Callable[_Words, _Result], /, *words: _Words.args, **options: _Words.kwargs
    ) -> Future[_Result]:
        """The work, done."""
        done: Future[_Result] = Future()
        done.set_result(work(*words, **options))
        return done
