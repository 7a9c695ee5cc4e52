"""How tags are read aloud, in Chinese and in English."""

ENTITIES = {
    "payer": ("付款人", "the payer"),
    "card": ("银行卡", "the card"),
    "device": ("终端", "the device"),
    "merchant": ("商户", "the merchant"),
    "store": ("门店", "the store"),
    "address": ("网络地址", "the network address"),
    "payer_device": ("付款人与终端", "the payer on this device"),
    "payer_merchant": ("付款人与商户", "the payer at this merchant"),
    "payer_store": ("付款人与门店", "the payer in this store"),
    "card_device": ("银行卡与终端", "the card on this device"),
}
LEVELS = {
    "raised": ("偏高", "raised"),
    "high": ("高", "high"),
    "extreme": ("极高", "extreme"),
}
SPANS_ZH = {
    "1m": "一分钟", "10m": "十分钟", "1h": "一小时", "1d": "一天", "7d": "七天", "30d": "三十天",
}  # fmt: skip
