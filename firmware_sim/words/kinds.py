"""What kinds of devices and what people do to them are called, in both languages."""

from faces.words import Words

ACTS: dict[str, str] = {
    "hold a picture before the lens": "把图片拿到镜头前",
    "take every picture away": "把图片全部拿走",
    "press the button": "按下按钮",
    "let it go": "松开",
    "pull the trigger": "扣扳机",
    "put in a roll": "装一卷纸",
    "tear the paper off": "撕下纸",
    "hold the feed button": "按住走纸键",
    "let the head be too hot for a while": "让打印头过热一会儿",
    "open the cover": "打开盖子",
    "close the cover": "合上盖子",
    "open the drawer by its key": "用钥匙开钱箱",
    "push the drawer in": "把钱箱推回去",
    "jam the blade": "卡住切刀",
    "free the blade": "松开切刀",
    "break it until power is cut": "弄坏，断电才恢复",
    "lay a finger on the glass": "把手指放在玻璃上",
    "take the finger away": "拿开手指",
    "put a finger into the library": "把手指录入指纹库",
    "break the glass or the flash memory, or mend them": "弄坏或修好玻璃、闪存",
    "hold a card, or a phone with a text, to the reader": "把卡或手机靠近读卡器",
    "take a card, or all, away": "拿走一张卡或全部",
    "put a text into a tag": "把文字写进标签",
    "hold a card to the pin pad": "把卡靠近密码键盘",
    "stand there with a card until it is asked for": "拿着卡等它来要",
    "type a PIN and press the green key": "输入密码，按绿键",
    "draw the card out": "抽出卡",
    "press the red key": "按红键",
    "let the bank be reached, not be reached, or fall silent": "银行可达、不可达或沉默",
    "read the rows of the display": "核对显示的两行",
    "read the digits and the lamp": "核对数字和灯",
    "press the key of a column": "按货道的选择键",
    "give a selection or a session up": "放弃选择或会话",
    "block a column": "卡住一个货道",
    "free a blocked column": "疏通货道",
    "fill a column": "给货道补货",
    "take the machine's power away": "断开机器的电",
    "give the machine its power back": "恢复机器的电",
    "hold a card to the reader": "把卡靠近读卡器",
    "take the card away before anything is bought": "没买就拿走卡",
    "put a coin into the changer": "投一枚硬币",
    "press the changer's return lever": "按退币杆",
    "press the key of a tube": "按币管的键",
    "put a car's cable in": "插上汽车的线",
    "pull the cable out": "拔出线",
    "the car takes another power; 0 pauses": "汽车改变功率，0 为暂停",
    "show a card": "刷卡",
    "an outlet becomes defective": "插口出故障",
    "the defect is gone": "故障消失",
    "press the red button": "按红色急停",
    "pull the network's cable": "拔网线",
    "put the network's cable back": "插回网线",
    "its clock jumps by so many seconds": "时钟跳这么多秒，负数倒退",
    "a car drives in": "车开进来",
    "a car comes to the exit": "车来到出口",
    "the car at the exit turns back": "出口的车掉头",
    "the car leaves under the arm": "车从杆下开走",
    "something holds the arm": "有东西挡住杆",
    "it holds the arm no longer": "杆不再被挡",
    "key a token in": "输入一个充值码",
    "press the reset button": "按复位键",
    "let the power fail at a flash write": "在写闪存时断电",
    "lift the lid: keys and PIN are wiped": "打开盖子：密钥和密码被清除",
    "put the lid back": "盖上盖子",
}
"""What people do, in Chinese, by the English of the act's record."""

KINDS: dict[str, str] = {
    "epson_vfd": "爱普生客显", "cd5220": "CD5220 客显", "led8": "八位数码客显",
    "ef01": "指纹传感器", "escpos": "小票打印机和钱箱", "gm65": "扫码器 GM65",
    "ssi": "扫码引擎 SSI", "ocpp16": "充电桩 OCPP 1.6", "ocpp201": "充电桩 OCPP 2.0.1",
    "secure_element": "安全芯片", "pn532": "感应读卡器 PN532", "qibixx": "售货机总线适配器",
    "smp_board": "控制板", "gate": "停车场出口道闸", "paymeter": "预付费电表",
    "telium": "银行卡密码键盘",
}  # fmt: skip
"""What a kind is called in Chinese."""


def act_words(summary: str) -> Words:
    """An act of a kind that this catalogue does not know is told in its record's own words."""
    return Words(ACTS.get(summary, summary), summary[:1].upper() + summary[1:])


def kind_words(name: str, summary: str) -> Words:
    """A kind, as ``act_words``."""
    return Words(KINDS.get(name, summary), summary)
