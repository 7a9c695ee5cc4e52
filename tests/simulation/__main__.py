"""Many seeds: ``python -m tests.simulation --seeds 100 [--from 1] [--minutes 25] [--suite …]``."""

# ruff: noqa: T201  # a program for people

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from tests.simulation.runs import MINUTES, NOTES_SHOWN, SeedFailed, run_seed, template_in


def main() -> int:
    """Run; 1 if any seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--suite", default="ES256", choices=("ES256", "Ed25519", "SM2-SM3"))
    parser.add_argument("--events", type=int, default=NOTES_SHOWN)
    parser.add_argument("--tally", action="store_true")
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failed: list[int] = []
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="tillway-template-") as directory:
        template = template_in(Path(directory))
        for seed in range(wanted.first, wanted.first + wanted.seeds):
            began = time.perf_counter()
            try:
                outcome = run_seed(
                    seed,
                    template,
                    suite=wanted.suite,
                    minutes=wanted.minutes,
                    notes_shown=wanted.events,
                )
            except SeedFailed as failure:
                failed.append(seed)
                print(f"seed {seed}: FAILED\n{failure}", flush=True)
                continue
            took_s = time.perf_counter() - began
            total.update(outcome.tally)
            print(
                f"seed {seed}: good, {took_s:.1f} s for {outcome.virtual_ms / 60_000:.0f} min,"
                f" {outcome.tally['accepted']} envelopes, {outcome.digest[:12]}",
                flush=True,
            )
    if wanted.tally:
        for name, times in sorted(total.items()):
            print(f"{times:8} {name}")
    print(f"{wanted.seeds - len(failed)} good, {len(failed)} failed: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
