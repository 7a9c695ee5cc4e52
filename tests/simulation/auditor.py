"""An independent eye: plain SQL and plain Python, none of the stack's own rules.

It hears what is said on the wires and reads the three databases; ``broken`` collects what must
never be. Nobody asks it for advice.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from protocol import answers, batch, cbor, envelope
from protocol.errors import CallerError
from terminal.agent import Agent
from tests.simulation.events import Trace

PAID = frozenset({"captured", "partially_refunded", "refunded"})
_FIRST_ANSWER_HOLDS = frozenset(
    {"payment.create", "payment.close", "payment.reverse", "refund.create"}
)
FEE_BPS = 60
_RETURNS = "SELECT * FROM offline_return"


class Broken(AssertionError):  # noqa: N818  # what it says
    """Something that must never be."""


def fee_of(amount_minor: int) -> int:
    """0.60 %, half up, as the merchants' contracts say."""
    return (amount_minor * FEE_BPS * 2 + 10_000) // 20_000


class Auditor:
    """Hears everything, believes the bytes only."""

    def __init__(self, backend: Path, trace: Trace) -> None:
        self.backend = backend
        self._trace = trace
        self._accepted: dict[bytes, tuple[str, str]] = {}
        self._positions: dict[tuple[str, str], tuple[int, int]] = {}
        self._answered: set[bytes] = set()
        self._first: dict[tuple[str, str], tuple[str, Any]] = {}
        self._heard: set[tuple[str, str]] = set()
        self._news: set[tuple[str, str, bytes]] = set()
        self._ended: dict[str, str] = {}
        self._codes: dict[str, set[str]] = defaultdict(set)
        self._kept: set[str] = set()
        self.tally: Counter[str] = Counter()

    # --- while it goes on

    def accepted(self, hub: str, tid: str, payload: bytes) -> None:
        """A hub acknowledged these bytes and did not refuse them."""
        self.tally["accepted"] += 1
        said = envelope.unseal(payload).envelope
        position = (said.boot_epoch, said.counter)
        if position <= self._positions.get((hub, tid), (0, 0)):
            raise Broken(f"{hub} took {said.request_id} of {tid} again, or too late: {position}")
        self._positions[hub, tid] = position
        self._accepted[payload] = (tid, said.request_id)

    def answered(self, data: bytes, wires: Sequence[bytes]) -> None:
        """The backend answered a batch, whether or not anybody heard it."""
        items = batch.unseal(data).batch.items
        if len(items) != len(wires):
            raise Broken("a batch has another number of answers than of items")
        for item, wire in zip(items, wires, strict=True):
            asked = envelope.unseal(item.envelope).envelope
            said = answers.unseal(wire).answer
            if (asked.request_id, asked.device) != (said.request_id, said.device):
                raise Broken(f"{asked.request_id} got the answer of {said.request_id}")
            self._answered.add(item.envelope)
            if asked.message_type == "payment.reverse":
                self._note_kept(asked.body["payment_id"], said.message_type, said.body)
            self.tally[f"answer {said.message_type}"] += 1
            if said.message_type == "refusal":
                self.tally[f"refusal {said.body['error']['code']}"] += 1
            elif asked.message_type in _FIRST_ANSWER_HOLDS:
                self._compare(asked.device, asked.request_id, said.message_type, said.body)

    def _note_kept(self, payment_id: str, message_type: str, body: Any) -> None:
        """The backend would not reverse this: whoever did not get the goods needs a person."""
        is_refused = message_type == "refusal" and body["error"]["code"] == "payment_state"
        if is_refused or body.get("state") in PAID:
            self._kept.add(payment_id)

    def _compare(self, device: str, request_id: str, message_type: str, body: Any) -> None:
        said = (message_type, dict(body))
        first = self._first.setdefault((device, request_id), said)
        if first != said:
            raise Broken(f"{request_id} has two answers: {first} and {said}")

    def delivered(self, tid: str, wire: bytes) -> None:
        """A terminal took these bytes in."""
        try:
            said = answers.unseal(wire).answer
        except CallerError:
            return
        if said.request_id:
            self._heard.add((tid, said.request_id))
        else:
            self._news.add((tid, said.message_type, cbor.encode(dict(said.body))))

    def shown(self, payment_id: str, code: str) -> None:
        """A pay code was held before a scanner for this payment."""
        self._codes[code].add(payment_id)

    def looks_at(self, tid: str, agent: Agent, ended: Iterable[tuple[str, str, int]]) -> None:
        """A terminal has changed. What it shows and keeps as paid, the backend must have; what it
        has once called not paid is never paid. ``ended``: payment, state, amount."""
        screen = agent.screen()
        if screen.kind == "paid" and getattr(agent.current(), "state", None) != "paid":
            raise Broken(f"{tid} shows paid for {screen.subject}")
        for payment_id, state, amount_minor in ended:
            known = self._ended.get(payment_id)
            if known == state:
                continue
            row = self._one("SELECT * FROM payment WHERE payment_id = ?", payment_id)
            theirs = row["state"] if row else "nothing"
            if (state == "paid") != (theirs in PAID):
                raise Broken(f"{tid} has {payment_id} as {state}, the backend has {theirs}")
            if known is not None and state == "paid":
                raise Broken(f"{tid} had {payment_id} as {known}, now as paid")
            if row is not None and state == "paid" and row["amount_minor"] != amount_minor:
                raise Broken(f"{payment_id} is paid with another amount")
            self._ended[payment_id] = state

    # --- at the end

    def judge(
        self,
        *,
        payers: dict[str, int],
        merchant_id: str,
        tills: dict[str, Path],
        lost: set[str],
        overflow: int,
    ) -> None:
        """Everything has drained. ``payers`` tells what each had been given, ``lost`` names the
        devices that were revoked, ``overflow`` counts what the hub may have let go."""
        self._judge_money(payers, merchant_id)
        self._judge_single_charges()
        self._judge_refunds()
        self._judge_vouchers()
        for tid, path in tills.items():
            if tid not in lost:
                self._judge_till(tid, path)
        self._judge_answers(lost, overflow)
        self._judge_callbacks()

    def _judge_money(self, payers: dict[str, int], merchant_id: str) -> None:
        spent: Counter[str] = Counter()
        bearers = {one["payment_id"]: one["bearer"] for one in self._all(_RETURNS)}
        earned = 0
        for row in self._all("SELECT * FROM payment"):
            self.tally[f"payment {row['method']} {row['state']}"] += 1
            if row["error_code"]:
                self.tally[f"declined {row['error_code']}"] += 1
            if row["state"] not in PAID:
                continue
            kept = row["amount_minor"] - row["refunded_minor"]
            if bearers.get(row["payment_id"]) != "house":
                spent[row["payer_id"]] += kept
            earned += kept - (fee_of(row["amount_minor"]) - fee_of(row["refunded_minor"]))
        balances = {
            row["id"]: row["credits_posted"] - row["debits_posted"]
            for row in self._all("SELECT * FROM ledger_account WHERE side = 'credit'")
        }
        aside: Counter[str] = Counter()
        for row in self._all("SELECT * FROM offline_voucher"):
            aside[row["payer_id"]] += balances.get(f"C:ESCROW:{row['voucher_id']}:CNY", 0)
        for payer_id, given in payers.items():
            has = balances.get(f"C:CUST:{payer_id}:CNY", 0) + aside[payer_id]
            must = given - spent[payer_id]
            if has != must:
                raise Broken(f"{payer_id} has {has}, must have {must}")
        has = sum(
            amount
            for account, amount in balances.items()
            if account.split(":")[1] in {"MPEND", "MAVAIL"} and f":{merchant_id}:" in account
        )
        if has != earned:
            raise Broken(f"{merchant_id} has {has}, must have {earned}")

    def _judge_single_charges(self) -> None:
        charges = Counter(
            row["id"].rpartition(":")[0]
            for row in self._all(
                "SELECT id FROM ledger_transfer WHERE id NOT LIKE 'ofv_%' AND"
                " (debit LIKE 'C:CUST:%' OR debit LIKE 'C:ESCROW:%' OR debit LIKE 'O:LOSS:%')"
            )
        )
        twice = [event for event, times in charges.items() if times > 1]
        if twice:
            raise Broken(f"charged more than once: {twice}")
        captured = {
            row["payment_id"]
            for row in self._all("SELECT payment_id FROM payment_event WHERE event = ?",
                                 "PaymentCaptured")
        }  # fmt: skip
        if captured != set(charges):
            raise Broken(f"captured and charged differ: {captured ^ set(charges)}")
        for code, payments in self._codes.items():
            if len(payments & captured) > 1:
                raise Broken(f"the code {code[:2]}…{code[-4:]} paid {payments & captured}")

    def _judge_refunds(self) -> None:
        sums: Counter[str] = Counter()
        for row in self._all("SELECT * FROM refund"):
            self.tally[f"refund {row['state']} {row['error_code'] or ''}"] += 1
            if row["state"] == "succeeded":
                sums[row["payment_id"]] += row["amount_minor"]
        for row in self._all("SELECT * FROM payment"):
            if sums[row["payment_id"]] != row["refunded_minor"]:
                raise Broken(f"{row['payment_id']}: refunds do not add up")
            if row["refunded_minor"] > row["amount_minor"]:
                raise Broken(f"{row['payment_id']}: more refunded than paid")

    def _judge_vouchers(self) -> None:
        """A number of a voucher is paid once of what was set aside, and no more than that."""
        firsts: Counter[tuple[str, int]] = Counter()
        sums: Counter[tuple[str, str]] = Counter()
        for row in self._all(_RETURNS):
            self.tally[f"offline {row['bearer']} {row['code'] or ''}"] += 1
            sums[row["voucher_id"], row["bearer"]] += row["amount_minor"]
            firsts[row["voucher_id"], row["number"]] += row["bearer"] == "set_aside"
        twice = [number for number, times in firsts.items() if times > 1]
        if twice:
            raise Broken(f"set aside once, paid twice: {twice}")
        for row in self._all("SELECT * FROM offline_voucher"):
            self.tally[f"voucher {row['state']}"] += 1
            if sums[row["voucher_id"], "set_aside"] > row["amount_minor"]:
                raise Broken(f"{row['voucher_id']} paid more than was set aside")
            if sums[row["voucher_id"], "house"] > row["guarantee_minor"]:
                raise Broken(f"the house bears more of {row['voucher_id']} than it has promised")

    def _judge_till(self, tid: str, path: Path) -> None:
        theirs = {
            row["payment_id"]: row
            for row in self._all("SELECT * FROM payment WHERE device = ?", tid)
        }
        ours = {row["payment_id"]: row for row in _read(path, "SELECT * FROM sales")}
        for payment_id, sale in ours.items():
            self.tally[f"sale {sale['state']} {sale['error_code'] or ''}"] += 1
            state = theirs[payment_id]["state"] if payment_id in theirs else "nothing"
            if sale["state"] not in {"paid", "declined", "cancelled"}:
                raise Broken(f"{tid} still has {payment_id} as {sale['state']}, backend: {state}")
            if (sale["state"] == "paid") != (state in PAID):
                raise Broken(f"{tid} has {payment_id} as {sale['state']}, backend: {state}")
        returned = {row["payment_id"] for row in self._all(_RETURNS)}
        accepted = {row["payment_id"] for row in _read(path, "SELECT * FROM offline_sales")}
        if not accepted <= returned:
            raise Broken(f"{tid} accepted tokens that never came back: {accepted - returned}")
        for payment_id, row in theirs.items():
            if row["state"] in PAID and payment_id not in ours:
                raise Broken(f"{tid} does not know {payment_id}, which is {row['state']}")
        refunds = {
            row["refund_id"]: row["state"]
            for row in self._all("SELECT * FROM refund WHERE device = ?", tid)
        }
        for row in _read(path, "SELECT * FROM refunds"):
            state = refunds.pop(row["refund_id"], "failed")
            if row["state"] != state:
                raise Broken(f"{tid} has {row['refund_id']} as {row['state']}, backend: {state}")
        if "succeeded" in refunds.values():
            raise Broken(f"{tid} does not know of refunds: {refunds}")
        waiting = _read(path, "SELECT * FROM receipts WHERE state = 'queued'")
        if waiting:
            raise Broken(f"{tid} has not printed {waiting[0]['kind']} of {waiting[0]['subject']}")

    def judge_goods(self, tid: str, path: Path, fell: Counter[str], *, is_lost: bool) -> None:
        """What fell out of a machine was paid, once, and kept; what was paid fell, or was given
        back, or stands before the owner. A revoked machine can give nothing back."""
        for sale in _read(path, "SELECT * FROM sales WHERE item IS NOT NULL"):
            payment_id, delivery = sale["payment_id"], sale["delivery"]
            self.tally[f"goods {delivery} {sale['state']}"] += 1
            row = self._one("SELECT * FROM payment WHERE payment_id = ?", payment_id)
            is_paid = row is not None and row["state"] in PAID
            what = f"{tid}, {payment_id}, {delivery}, fell {fell[payment_id]} times"
            if fell[payment_id] > 1:
                raise Broken(f"{what}: given more than once")
            if fell[payment_id] and not is_paid:
                raise Broken(f"{what}: given, and the money not kept")
            if delivery == "given" and not fell[payment_id]:
                raise Broken(f"{what}: called given")
            if delivery == "not_given" and fell[payment_id]:
                raise Broken(f"{what}: called not given")
            is_shown = delivery == "uncertain" or (
                delivery == "not_given" and payment_id in self._kept
            )
            if is_paid and not (fell[payment_id] or is_shown or is_lost):
                raise Broken(f"{what}: paid for nothing")

    def _judge_answers(self, lost: set[str], overflow: int) -> None:
        silent = [who for payload, who in self._accepted.items() if payload not in self._answered]
        if silent:
            raise Broken(f"accepted by the hub, never answered by the backend: {silent[:3]}")
        unheard = [
            who for who in self._accepted.values() if who[0] not in lost and who not in self._heard
        ]
        if len(unheard) > overflow:
            raise Broken(f"answered, but the terminal never heard it: {unheard[:3]}")
        for row in self._all("SELECT * FROM outbox_push WHERE message_type <> 'registry'"):
            self.tally[f"push {row['message_type']}"] += 1
            news = (row["device"], row["message_type"], row["body"])
            if row["device"] not in lost and news not in self._news and not overflow:
                raise Broken(f"{row['device']} never heard push {row['seq']}")

    def _judge_callbacks(self) -> None:
        told = Counter(
            row["event_type"] for row in self._all("SELECT event_type FROM outbox_callback")
        )
        captured = self._one("SELECT count(*) AS n FROM payment_event WHERE event = ?",
                             "PaymentCaptured")  # fmt: skip
        assert captured is not None
        if told["payment.captured"] != captured["n"]:
            raise Broken(f"{captured['n']} captured, merchant told of {told['payment.captured']}")
        refunded = self._one("SELECT count(*) AS n FROM refund WHERE state = ?", "succeeded")
        assert refunded is not None
        if told["refund.succeeded"] != refunded["n"]:
            raise Broken(f"{refunded['n']} refunds, merchant told of {told['refund.succeeded']}")

    # --- below: reading the backend's rows

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        found = _read(self.backend, query, values)
        return found[0] if found else None

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        return _read(self.backend, query, values)


def _read(path: Path, query: str, values: Iterable[object] = ()) -> list[sqlite3.Row]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(query, tuple(values)).fetchall()
    finally:
        connection.close()
