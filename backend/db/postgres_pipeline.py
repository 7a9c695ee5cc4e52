"""Statements sent to PostgreSQL without waiting for their results (libpq's pipeline mode), and how
whole columns travel in them: one text parameter a column, an array as the server itself writes it.

Each statement ends with a Sync, so that the server's limits of time hold for each of them, also
when the sender stops half way. What follows a failed statement fails, too; COMMIT is a rollback.
"""

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer


class Pipeline:
    """The statements under way on one connection; used between two statements of its cursors."""

    def __init__(self, connection: "psycopg.Connection[object]") -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._pending = 0

    def send(self, statement: str, parameters: Sequence[str] = ()) -> None:
        """Hand a statement over, as far as the system takes it now."""
        values = [one.encode() for one in parameters]
        if not self._pending:
            self._pgconn.enter_pipeline_mode()
        self._pgconn.send_query_params(statement.encode(), values, result_format=pq.Format.BINARY)
        self._pgconn.pipeline_sync()
        self._pending += 1
        self._pgconn.flush()

    def push(self) -> None:
        """Return when the system has taken all of it, so that the server needs nothing more from us
        to finish it."""
        while self._pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT)

    def receive(self) -> "pq.abc.PGresult":
        """Wait for the result of the oldest statement under way; raises its error."""
        try:
            found = self._result()
        except BaseException:
            self._pending = 0
            raise
        self._pending -= 1
        if not self._pending:
            self._pgconn.exit_pipeline_mode()
        if found.status == pq.ExecStatus.FATAL_ERROR:
            raise _error(found)
        return found

    def receive_rows(self) -> list[tuple[Any, ...]]:
        """As ``receive``: the rows that it found."""
        result = self.receive()
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def finish(self) -> None:
        """Wait for all results; raises the first error."""
        first: psycopg.Error | None = None
        while self._pending:
            try:
                self.receive()
            except psycopg.Error as error:
                first = first or error
        if first is not None:
            raise first

    def _result(self) -> "pq.abc.PGresult":
        """All that belongs to one statement, up to its Sync."""
        found: pq.abc.PGresult | None = None
        while True:
            result = self._next()
            if result is None:
                self._look_alive()
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                assert found is not None, "a Sync without a statement"
                return found
            elif found is None:
                found = result
                if result.status == pq.ExecStatus.FATAL_ERROR and self._is_lost():
                    raise _error(result)

    def _is_lost(self) -> bool:
        return self._pgconn.status == pq.ConnStatus.BAD

    def _look_alive(self) -> None:
        if self._is_lost():
            raise psycopg.OperationalError("the connection is lost")

    def _next(self) -> "pq.abc.PGresult | None":
        while self._pgconn.is_busy():
            unsent = select.POLLOUT if self._pgconn.flush() else 0
            self._wait(select.POLLIN | unsent)
        return self._pgconn.get_result()

    def _wait(self, what: int) -> None:
        poll = select.poll()
        poll.register(self._pgconn.socket, what)
        for _, happened in poll.poll():
            if happened & ~select.POLLOUT:
                self._pgconn.consume_input()


def _error(result: "pq.abc.PGresult") -> psycopg.Error:
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind: type[psycopg.Error] = errors.lookup(state)
    except KeyError:
        kind = psycopg.OperationalError
    return kind(kind.__name__ if issubclass(kind, psycopg.DataError) else _message(result))


def _message(result: "pq.abc.PGresult") -> str:
    """The server's sentence without its DETAIL, which quotes the row that a constraint refuses:
    errors are logged. Of a ``DataError`` the sentence itself may quote the value."""
    sentence = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY)
    return result.get_error_message() if sentence is None else sentence.decode(errors="replace")


def as_array(column: Sequence[object]) -> str:
    """A column of text, 64-bit integers or bytes as PostgreSQL's array literal.

    Raises ``ValueError`` for what is none of them, or cannot be one of PostgreSQL's texts.
    """
    kinds = set(map(type, column))
    if kinds == {int}:
        inside = ",".join(map(str, column))
    elif kinds == {str}:
        inside = '"' + '","'.join(column) + '"'  # type: ignore[arg-type]  # mypy sees no kinds
        if "\\" in inside or inside.count('"') != 2 * len(column):
            inside = ",".join(map(_element, column))
    else:
        inside = ",".join(map(_element, column))
    if "\0" in inside:
        raise ValueError("a text with a NUL")
    return f"{{{inside}}}"


def _element(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return f'"\\\\x{value.hex()}"'
    raise ValueError(f"a value of type {type(value).__name__}")
