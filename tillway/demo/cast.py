"""Who plays and in which order: the programs and people of the shop's day."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tillway.demo import instruments, story, wallets
from tillway.demo.callbacks import MerchantServer
from tillway.demo.day_close import china_day
from tillway.demo.day_end import day_end
from tillway.demo.eavesdropper import Eavesdropper
from tillway.demo.judged import judged
from tillway.demo.machines import start_charger, start_exit, start_vending
from tillway.demo.mishaps import returned_payout
from tillway.demo.offline import offline
from tillway.demo.outcome import Day
from tillway.demo.payers import new_phone
from tillway.demo.stack import HUB, Stack
from tillway.demo.story import Act, Play
from tillway.demo.things import charging_and_parking

CROWD = 12
ACTS: tuple[tuple[str, Act], ...] = (
    ("a customer shows a pay code", story.pay_code),
    ("a customer scans the till's code", story.merchant_qr),
    ("a bank card pays, over one network or the other", instruments.by_channel),
    ("a money-market fund pays", instruments.fund),
    ("an e-CNY wallet pays", instruments.ecny),
    ("a coupon pays a part", instruments.coupon),
    ("a buyer shows Alipay's code", wallets.alipay),
    ("a payer shows UnionPay's code", wallets.unionpay_qr),
    ("a buyer scans the till's code with Alipay", wallets.alipay_scans),
    ("the vending machine pays by itself", story.vending),
    ("a car charges, others leave the car park", charging_and_parking),
    ("a fingerprint is asked for", story.biometric),
    ("payments that must be refused", story.refusals),
    ("the risk engine judges", judged),
    ("somebody replays a request", story.replay),
    ("the line is cut in the middle", story.cut_line),
    ("the terminal loses power", story.power_cut),
    ("nobody can be asked", offline),
    ("money is given back", story.refunds),
    ("rush hour", story.rush_hour),
    ("a stolen machine is revoked", story.revoked),
    ("the merchant's server is told", story.callbacks),
    ("the day is closed", day_end),
    ("the merchant's bank sends a payout back", returned_payout),
)


def gather(stack: Stack, day: Day, papers: Path) -> Play:
    """Start everything and everybody."""
    merchant = MerchantServer()
    wire: Eavesdropper | None = None
    try:
        stack.start_core(notify_url=merchant.url)
        assert stack.backend_key is not None
        merchant.trust(stack.backend_key)
        first_day = china_day(stack.now_ms())
        alice, bob = new_phone(stack, "张三", 300_000), new_phone(stack, "李四", 300_000)
        crowd = [new_phone(stack, f"顾客{number}", 20_000) for number in range(1, CROWD + 1)]
        wire = Eavesdropper(stack.programs[HUB].port("coap"))
        with ThreadPoolExecutor() as pool:
            tills = pool.map(stack.start_till, ("pos-1", "pos-2"))
            vending = pool.submit(start_vending, stack, alice, hub_port=wire.port)
            gate, charger = (
                pool.submit(start_exit, stack, bob),
                pool.submit(start_charger, stack, bob),
            )
            pos1, pos2 = tills
            machines = vending.result(), gate.result(), charger.result()
    except BaseException:
        merchant.close()
        if wire is not None:
            wire.close()
        raise
    return Play(
        stack, day, alice, bob, crowd, merchant, wire, pos1, pos2, *machines, papers, first_day
    )


def dismiss_cast(play: Play) -> None:
    """Close what is not a program of the stack."""
    play.wire.close()
    play.merchant.close()
