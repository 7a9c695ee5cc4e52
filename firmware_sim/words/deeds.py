"""What was done to a device, in both languages."""

from faces.words import Words

DEEDS: dict[str, Words] = {
    # To any device
    "put_plug": Words("插回插头", "plug put back"),
    "pull_plug": Words("拔下插头", "plug pulled"),
    "power_on": Words("上电", "given power"),
    "power_off": Words("断电", "power cut"),
    "faults": Words("设置故障", "faults set"),
    # To displays, scanners and readers
    "look": Words("核对显示", "display read"),
    "present": Words("拿到跟前", "held before it"),
    "take_away": Words("全部拿走", "all taken away"),
    "press": Words("按下", "pressed"),
    "release": Words("松开", "let go"),
    "pull": Words("扣扳机", "trigger pulled"),
    "place": Words("放上手指", "finger laid on"),
    "remove": Words("拿开", "taken away"),
    "enroll": Words("录入手指", "finger enrolled"),
    "damage": Words("弄坏或修好", "broken or mended"),
    "tap": Words("刷卡", "card tapped"),
    "write": Words("写标签", "tag written"),
    # To a printer with its drawer
    "load_paper": Words("装纸", "paper put in"),
    "tear_off": Words("撕纸", "paper torn off"),
    "press_feed": Words("按走纸键", "feed pressed"),
    "overheat": Words("打印头过热", "head too hot"),
    "open_cover": Words("开盖", "cover opened"),
    "close_cover": Words("合盖", "cover closed"),
    "open_drawer": Words("用钥匙开钱箱", "drawer opened by key"),
    "close_drawer": Words("推回钱箱", "drawer pushed in"),
    "jam_cutter": Words("卡住切刀", "blade jammed"),
    "free_cutter": Words("松开切刀", "blade freed"),
    "break_down": Words("弄坏", "broken down"),
    # To a PIN pad and a secure element
    "hold": Words("拿着卡等", "card kept ready"),
    "enter_pin": Words("输入密码", "PIN typed"),
    "take_card": Words("取走卡", "card taken"),
    "cancel": Words("按红键", "red key pressed"),
    "bank": Words("银行线路", "bank's line set"),
    "open_case": Words("打开盖子", "lid lifted"),
    "close_case": Words("盖上盖子", "lid put back"),
    # To a gate and a meter
    "arrive": Words("车开进来", "car drove in"),
    "drive_up": Words("车到出口", "car came to the exit"),
    "turn_back": Words("车掉头", "car turned back"),
    "drive_out": Words("车开走", "car drove out"),
    "block": Words("挡住杆", "arm held"),
    "free": Words("放开", "freed"),
    "enter": Words("输入充值码", "token keyed in"),
    # To a charger
    "plug": Words("插上充电线", "cable plugged in"),
    "unplug": Words("拔下充电线", "cable pulled out"),
    "want": Words("汽车改变功率", "car's power changed"),
    "break": Words("出故障", "made defective"),
    "repair": Words("故障消失", "defect gone"),
    "emergency_stop": Words("按红色急停", "red button pressed"),
    "pull_network": Words("拔网线", "network pulled"),
    "put_network": Words("插回网线", "network put back"),
    "jump_clock": Words("时钟跳动", "clock jumped"),
    # To a vending machine
    "select": Words("按选择键", "column chosen"),
    "pull_lever": Words("放弃选择", "lever pulled"),
    "jam": Words("卡住货道", "column blocked"),
    "refill": Words("补货", "column filled"),
    "cut_machine": Words("断开机器的电", "machine's power cut"),
    "restore_machine": Words("恢复机器的电", "machine's power back"),
    "insert_coin": Words("投币", "coin put in"),
    "return_coins": Words("按退币杆", "return lever pressed"),
    "take_coin": Words("按币管的键", "tube's key pressed"),
    # To a controller board
    "reset": Words("按复位键", "reset pressed"),
    "cut_power": Words("写闪存时断电", "power to fail at a write"),
}
"""What was done, by the name that a trace keeps: true of every kind that one can do it to."""


def deed_words(deed: str) -> Words:
    """A deed that this catalogue does not know is told by its name."""
    return DEEDS.get(deed, Words(deed, deed))
