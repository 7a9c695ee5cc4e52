"""What checks expect, and what came instead, in Chinese, by the English words; ``{}`` stands for
what is said as it is. A document's own words (a status, a field, bytes) are the same in both
languages. A test compares the list with all that checks say."""

import re
from collections.abc import Mapping
from functools import cache

WANTED: dict[str, str] = {
    # Any device
    "silence": "没有应答",
    "a reply": "一个应答",
    "an answer": "一个应答",
    "an answer to {}": "对 {} 的应答",
    "an answer of {} bytes": "{} 字节的应答",
    "an acknowledgement": "确认应答",
    "the acknowledgement {}": "确认应答 {}",
    "{} bytes": "{} 字节",
    "{} again": "再来一次 {}",
    "one byte": "一个字节",
    "no data": "不带数据",
    "status {}": "状态 {}",
    "a point of P-256": "P-256 曲线上的点",
    # Displays
    "the rows {} and {}": "两行是 {} 和 {}",
    "{} and the lamp {}": "{}，指示灯 {}",
    # Fingerprint sensor
    "16 bytes of parameters": "16 字节的参数",
    "16 bytes with the code 00 or 09": "16 字节，确认码 00 或 09",
    "32 bytes of index": "32 字节的索引",
    "a capacity": "容量",
    "a last data packet": "最后一个数据包",
    "a packet code from 0 to 3": "包长代码 0 到 3",
    "a packet with a right sum": "校验和正确的包",
    "a rate code from 1 to 12": "波特率代码 1 到 12",
    "a score": "得分",
    "a security level from 1 to 5": "安全等级 1 到 5",
    "an acknowledgement from FFFFFFFF": "来自 FFFFFFFF 的确认应答",
    "four bytes each": "每个四字节",
    "the address FFFFFFFF": "地址 FFFFFFFF",
    "the code 19, FC or 01": "确认码 19、FC 或 01",
    "the code {} for {}": "{1} 的确认码 {0}",
    "the code {}": "确认码 {}",
    "three different numbers": "三个不同的数",
    "a data packet of at most {} bytes": "最多 {} 字节的数据包",
    "the rate code {}": "波特率代码 {}",
    "{} used slots in the index": "索引中有 {} 个已用位置",
    # Printers
    "5F, the maker's name, 00 for GS I 66": "对 GS I 66 应答 5F、厂商名、00",
    "four bytes with the cover's bit, unasked": "不问自报的四个字节，带上盖位",
    "the cover's bit": "上盖位",
    "37 36, width 1F height 1F 1 1F flag, 00": "37 36、宽 1F 高 1F 1 1F 标志、00",
    "a square": "正方形",
    "a status byte at once": "立即应答一个状态字节",
    "a status byte": "一个状态字节",
    "an on-line printer, paper in, cover shut": "打印机联机、有纸、上盖关好",
    "four bytes, the first 0xx1xx00, for GS a": "对 GS a 应答四个字节，第一个是 0xx1xx00",
    "four status bytes": "四个状态字节",
    "no answer to ESC @": "对 ESC @ 不应答",
    "no answer to GS a 0": "对 GS a 0 不应答",
    "no cutter fault": "切刀没有故障",
    "off line while the cover is open": "上盖打开时脱机",
    "on line again": "重新联机",
    "one byte for GS r 1": "对 GS r 1 应答一个字节",
    "the answer 0xx0xxxx to GS r 1": "对 GS r 1 应答 0xx0xxxx",
    "near end {}, as DLE EOT 4 says": "纸将尽 {}，与 DLE EOT 4 一致",
    "one byte 0xx1xx10 for DLE EOT {}": "对 DLE EOT {} 应答一个字节 0xx1xx10",
    "{} with bit 2 changed": "{}，第 2 位改变",
    # Gate and meter
    "2 seconds later": "晚 2 秒",
    "an arm that is not up and down at once": "闸杆不会同时抬起又落下",
    "one byte of bits": "一个字节的位",
    "the same tag by itself": "单独读到的同一标签",
    "{} registers": "{} 个寄存器",
    "exception {}": "异常 {}",
    "unit {}": "从站 {}",
    "a known result": "已知的结果",
    "a minute less": "少一分钟",
    "power while there is credit": "有余额时供电",
    "the same count": "计数不变",
    "wrong": "口令错误",
    # Scanners
    "a divisor of 3,000,000 between 1 and 2500": "3,000,000 的分频数，1 到 2500",
    "nothing after the stop": "停止后什么也没有",
    "the mode register first": "先设模式寄存器",
    "the trigger bit cleared after 0.5 s": "0.5 秒后触发位清零",
    "the same as one by one: {}": "与逐个读取的相同：{}",
    "a reply with {} data bytes and its CRC": "带 {} 个数据字节和 CRC 的应答",
    "NAK with reason 1 (resend)": "NAK，原因 1（重发）",
    "NAK with reason 2 or 6": "NAK，原因 2 或 6",
    "NAK with reason 6 (denied)": "NAK，原因 6（拒绝）",
    "a REPLY_REVISION with a text": "带文字的 REPLY_REVISION",
    "a packet": "一个包",
    "one packet with its checksum": "一个带校验和的包",
    "silence after the acknowledgement": "确认之后不再说话",
    "the same packet at once": "立即再发同一个包",
    "the same packet with the resent bit, after 0.5 s": "0.5 秒后再发同一个包，带重发位",
    "DECODE_DATA with {}": "DECODE_DATA，内容 {}",
    "parameter {} in a PARAM_SEND": "PARAM_SEND 中的参数 {}",
    # Chargers
    "Accepted (is the connector free?)": "Accepted（枪空闲吗？）",
    "{} or {}": "{} 或 {}",
    "a call": "一个请求",
    "every key of the core profile": "核心规范的全部配置项",
    "message ids that differ": "互不相同的消息编号",
    "no transaction for a blocked card": "被停用的卡不开始交易",
    "silence until the first call is answered": "第一个请求得到应答之前不再发请求",
    "a value of {}": "{} 的值",
    "{} for {}": "{1} 为 {0}",
    "an end": "结束",
    "no energy for a blocked card": "被停用的卡不充电",
    "no messages in the queue": "队列中没有消息",
    "seqNo from 0 without a gap": "seqNo 从 0 起连续",
    "the standard's form": "标准规定的格式",
    "a line of OCPP-J": "一行 OCPP-J",
    "a message": "一条消息",
    "{} to be answered": "{} 得到应答",
    # Card reader
    "00 6f … 9000 with 2PAY.SYS.DDF01": "00 6f … 9000，含 2PAY.SYS.DDF01",
    "00, authenticated": "00，认证成功",
    "00, no target": "00，没有卡",
    "00, sound": "00，完好",
    "14, wrong key": "14，密钥错误",
    "27, wrong context": "27，时机不对",
    "E1 at page 3, sixteen bytes": "第 3 页是 E1，十六个字节",
    "IC 32, version, revision, support": "IC 32、版本、修订、支持项",
    "SEL_RES with bit 5, and an ATS": "SEL_RES 带第 5 位，并有 ATS",
    "SENS_RES 0044, SEL_RES 00, 7 bytes": "SENS_RES 0044、SEL_RES 00、7 字节",
    "an answer without data": "不带数据的应答",
    "an error status": "错误状态",
    "no answer while no card comes": "没有卡来就不应答",
    "one target": "一张卡",
    "status 00 and sixteen bytes": "状态 00 和十六个字节",
    "the same 263 bytes": "同样的 263 字节",
    "the error frame {}": "错误帧 {}",
    "an answer with code {}": "代码 {} 的应答",
    # Vending bus
    "23 bytes of a changer's set-up": "找零器设置的 23 字节",
    "a line": "一行",
    "x,status,ten digits of time,…": "x,状态,十位数的时间,…",
    # Secure element
    "the command's sequence": "命令的序号",
    "a locked element": "上锁的安全芯片",
    "an element that nobody has opened": "没有人打开过的安全芯片",
    "other bytes the second time": "第二次是另外的字节",
    "the counter where it was": "计数器不变",
    "the first answer again": "再次给出第一次的应答",
    "the same serial number twice": "两次相同的序列号",
    "version 1": "版本 1",
    # Controller board
    "a CBOR map": "CBOR 映射",
    "a hash": "哈希",
    "a list of images": "固件列表",
    "a version": "版本",
    "an answer in protocol 0": "协议 0 的应答",
    "buf_count of 1 or more": "buf_count 至少 1",
    "buf_size of 128 or more": "buf_size 至少 128",
    "lines of at most 128 bytes": "每行最多 128 字节",
    "no update that a reset would start": "没有复位就会开始的更新",
    "the same images as before": "与之前相同的固件",
    "a refusal with one of {}": "以 {} 之一拒绝",
    "an answer within {} s of the reset": "复位后 {} 秒内应答",
    "op, group, command and sequence {}": "op、group、command、sequence 为 {}",
    # PIN pad
    "1.00 approved": "1.00 批准",
    "NAK or silence while a payment is under way": "付款进行时应答 NAK 或不应答",
    "NAK or silence": "NAK 或不应答",
    "a card number in the full answer": "完整应答中有卡号",
    "an answer that says nothing of the payment": "应答中没有付款内容",
    "only further calls before our ACK": "我方 ACK 之前只重复请求",
}
CAME: dict[str, str] = {
    "none": "没有",
    "another": "另一个",
    "{} bytes without a pause": "{} 字节，一直没有停",
    "{} bytes": "{} 字节",
    "flags {}": "标志 {}",
    "a second call": "第二个请求",
    "another status": "另一个状态",
    "none of {}": "缺 {}",
}


def in_chinese(text: str, words: Mapping[str, str]) -> str:
    """What a check says, in Chinese; a document's own words as they are. Of two that fit, the
    longer is meant."""
    if text in words:
        return words[text]
    for english in sorted(words, key=len, reverse=True):
        found = _form(english).fullmatch(text) if "{}" in english else None
        if found is not None:
            return words[english].format(*found.groups())
    return text


@cache
def _form(english: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, english.split("{}"))), re.DOTALL)
