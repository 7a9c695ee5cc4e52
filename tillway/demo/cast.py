"""Who plays and in which order: the programs and people of the shop's day."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tillway.demo import instruments, story, wallets
from tillway.demo.callbacks import MerchantServer
from tillway.demo.day_close import china_day
from tillway.demo.day_end import day_end
from tillway.demo.eavesdropper import Eavesdropper
from tillway.demo.judged import judged
from tillway.demo.mishaps import returned_payout
from tillway.demo.offline import offline
from tillway.demo.outcome import Day
from tillway.demo.stack import HUB, MERCHANT, Stack
from tillway.demo.story import Act, Play

CROWD = 12
ITEMS = [
    {"item": "tea", "zh": "茶", "en": "Tea", "amount_minor": 350},
    {"item": "coffee", "zh": "咖啡", "en": "Coffee", "amount_minor": 900},
    {"item": "gum", "zh": "口香糖", "en": "Gum", "amount_minor": 100},
    {"item": "box", "zh": "礼盒", "en": "Gift box", "amount_minor": 5_000},
]
PAYMENT_LIMIT_MINOR, DAY_LIMIT_MINOR = 1_000, 2_000

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
        alice, bob = stack.new_phone("张三", 300_000), stack.new_phone("李四", 300_000)
        crowd = [stack.new_phone(f"顾客{number}", 20_000) for number in range(1, CROWD + 1)]
        stack.enrol_vending("vend-1")
        with ThreadPoolExecutor() as pool:
            pos1, pos2 = pool.map(stack.start_till, ("pos-1", "pos-2"))
        mandate_id = alice.allow_device(
            merchant_id=MERCHANT,
            device="vend-1",
            payment_minor=PAYMENT_LIMIT_MINOR,
            day_minor=DAY_LIMIT_MINOR,
            now_ms=stack.now_ms(),
        )
        wire = Eavesdropper(stack.programs[HUB].port("coap"))
        vending = stack.start_vending(
            "vend-1", mandate_id=mandate_id, items=ITEMS, hub_port=wire.port
        )
    except BaseException:
        merchant.close()
        if wire is not None:
            wire.close()
        raise
    return Play(
        stack, day, alice, bob, crowd, merchant, wire, pos1, pos2, vending, papers, first_day
    )


def dismiss_cast(play: Play) -> None:
    """Close what is not a program of the stack."""
    play.wire.close()
    play.merchant.close()
