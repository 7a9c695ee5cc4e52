"""What the reasons of banks and channels mean to a person, in both languages.

Rule: the other side's own text is never the sentence that is shown: it is in that side's language.
      What is known by its stable code has a sentence here, or in our catalogue; the code stays
      beside it for whoever asks the bank.
"""

import re

from faces.words import Bilingual, Words
from protocol.errors import advice, is_known

_ISO_CODE = re.compile(r"\b[A-Z]{2}[A-Z0-9]{2}\b")
"""As ISO 20022's external code sets have them, wherever in a text."""
_ISO_WORDS: dict[str, Words] = {
    "AC01": Words("账号不正确", "The account number is wrong"),
    "AC03": Words("收款账号不正确", "The payee's account number is wrong"),
    "AC04": Words("账户已销户", "The account is closed"),
    "AC06": Words("账户已冻结", "The account is blocked"),
    "AG01": Words("该账户不能办理此业务", "This account may not be used for it"),
    "AM02": Words("金额超过限额", "The amount is above the limit"),
    "AM03": Words("不受理该币种", "The currency is not taken"),
    "AM04": Words("账户余额不足", "The account has too little money"),
    "AM05": Words("重复的指令", "It was sent twice"),
    "AM09": Words("金额不符", "The amount is wrong"),
    "BE01": Words("户名与账号不符", "Name and account do not belong together"),
    "CUST": Words("应付款人要求", "The payer asked for it"),
    "DUPL": Words("重复的指令", "It was sent twice"),
    "MD06": Words("应付款人要求退回", "The payer asked for the money back"),
    "MS03": Words("银行没有说明原因", "The bank gives no reason"),
    "RR04": Words("监管原因", "For a regulator's reasons"),
}
_OWN_WORDS: dict[str, Words] = {
    "reversed": Words("已冲正", "It was reversed"),
    "refused by the issuer": Words("发卡银行拒绝", "The card's bank refused"),
    "goods_not_received": Words("未收到商品", "The goods did not arrive"),
}
"""Reasons of ours and of channels that are no codes of the catalogue."""


def reason_words(reason: str) -> Bilingual | None:
    """The sentence for a reason that was given with a refusal; None for one that nobody here
    knows."""
    if is_known(reason):
        return advice(reason)
    if reason in _OWN_WORDS:
        return _OWN_WORDS[reason]
    codes = (found for found in _ISO_CODE.findall(reason) if found in _ISO_WORDS)
    code = next(codes, "")
    return _ISO_WORDS.get(code)
