"""What is wrong with a file, said in both languages to whoever wrote it. Pure."""

from typing import NamedTuple

from protocol.errors import CallerError


class Fault(NamedTuple):
    """A sentence without its place."""

    en: str
    zh: str

    def at(self, row: int, column: str) -> "Fault":
        """With its place in a table; row 1 is the first after the head."""
        return Fault(
            f"row {row}, column {column}: {self.en}", f"第 {row} 行 {column} 列：{self.zh}"
        )

    def in_row(self, row: int) -> "Fault":
        """Where it is the whole row's."""
        return Fault(f"row {row}: {self.en}", f"第 {row} 行：{self.zh}")

    def of_transaction(self, tx_id: str, column: str) -> "Fault":
        """Of a table that has been read: by the id, in place of the row."""
        return Fault(
            f"tx_id {tx_id}, column {column}: {self.en}", f"tx_id {tx_id} {column} 列：{self.zh}"
        )

    def refusal(self, file: str = "") -> CallerError:
        """The refusal of the file."""
        en, zh = (f"{file}: {self.en}", f"{file}：{self.zh}") if file else self
        return CallerError("table_invalid", en, detail_zh=zh)
