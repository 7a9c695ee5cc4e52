"""``python -m bench``: run the benchmarks, print the table, write ``var/bench/results.json``."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.db.collector import tune_collector
from bench import (
    engine,
    faces,
    hub_mqtt,
    load,
    merchant_api,
    postgres,
    recon,
    risk,
    risk_aml,
    risk_devices,
    risk_evaluation,
    risk_features,
    risk_rules,
    rows,
    shards,
    sim,
    tls,
    way,
)
from bench.result import Result
from tests.support.postgres import NoServer

RESULTS = Path("var/bench/results.json")
BENCHES = {
    "engine": engine.run,
    "load": load.run,
    "rows": rows.run,
    "postgres": postgres.run,
    "way": way.run,
    "hub-mqtt": hub_mqtt.run,
    "tls": tls.run,
    "merchant-api": merchant_api.run,
    "shards": shards.run,
    "recon": recon.run,
    "sim": sim.run,
    "faces": faces.run,
    "risk": risk.run,
    "risk-evaluation": risk_evaluation.run,
    "risk-aml": risk_aml.run,
    "risk-devices": risk_devices.run,
    "risk-features": risk_features.run,
    "risk-rules": risk_rules.run,
}


def main() -> None:
    """Run what is asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number")
    chosen = parser.parse_args()
    for name in chosen.names:
        if name not in BENCHES:
            parser.error(f"there is no benchmark {name}")
    tune_collector()
    console = Console()
    results: list[Result] = []
    try:
        for name in chosen.names or BENCHES:
            with console.status(f"measuring {name} …"):
                try:
                    results += BENCHES[name](chosen.scale)
                except NoServer as missing:
                    console.print(f"{name} left out: {missing}")
    finally:  # what was measured before one failed is not lost
        console.print(_table(results))
        _write(results)
        console.print(f"written to {RESULTS}")


def _write(results: list[Result]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows = _kept(results) + [result.as_row() for result in results]
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _kept(results: list[Result]) -> list[dict[str, object]]:
    """Figures of earlier runs that were not measured again."""
    renewed = {result.name for result in results}
    try:
        rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [row for row in rows if row["name"] not in renewed]


def _table(results: list[Result]) -> Table:
    table = Table("what", "value", "unit", "against")
    table.columns[1].justify = "right"
    for result in results:
        figure = f"{result.value:,.0f}" if result.value >= 100 else f"{result.value:.2f}"
        table.add_row(result.name, figure, result.unit, result.against)
    return table


if __name__ == "__main__":
    main()
