"""The end of the day for people: the table of what was expected and what came."""

from rich.console import Console
from rich.table import Table

from tillway.demo.outcome import Day, percentile


def print_day(console: Console, day: Day) -> None:
    """Every case, then the books, the latencies and the verdict."""
    table = Table(title="A shop's day · 门店的一天", title_justify="left", header_style="bold")
    for name, justify in (("", "left"), ("case", "left"), ("expected", "left"),
                          ("actual", "left"), ("yuan", "right"), ("ms", "right")):  # fmt: skip
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for case in day.cases:
        mark = "[green]✓[/]" if case.ok else "[bold red]✗[/]"
        latency = "" if case.latency_ms is None else str(case.latency_ms)
        table.add_row(mark, case.name, case.expected, case.actual, case.amount, latency)
    console.print(table)
    ledger = day.ledger
    if ledger is None:
        console.print("ledger: not proved, the day did not come to its end")
    else:
        console.print(
            f"ledger: {ledger.transfers} transfers, balanced {_mark(ledger.balanced)}, "
            f"reserve equation {_mark(ledger.reserve_equation)}"
        )
    p50, p99 = percentile(day.latencies_ms, 50), percentile(day.latencies_ms, 99)
    console.print(
        f"terminal to terminal: p50 {p50} ms, p99 {p99} ms over {len(day.latencies_ms)} payments"
    )
    held = sum(case.ok for case in day.cases)
    if day.is_interrupted:
        console.print(f"interrupted after {len(day.cases)} cases, {held} of them as expected")
        return
    verdict = "[green]every expectation held[/]" if day.ok else "[bold red]NOT as expected[/]"
    console.print(f"{held} of {len(day.cases)} cases as expected: {verdict}")


def _mark(holds: bool) -> str:
    return "[green]✓[/]" if holds else "[bold red]✗[/]"
