"""The words of a report's page."""

from faces.words import Words

WORDS: dict[str, Words] = {
    "sum": Words("{} 项成立，{} 项失败，{} 项跳过", "{} held, {} failed, {} skipped"),
    "seconds": Words("{} 秒", "{} s"),
    "seen": Words("说了和做了什么：{} 行", "What was said and done: {} rows"),
    "seen_one": Words("说了和做了什么：1 行", "What was said and done: 1 row"),
    "left_out": Words("… 中间 {} 行没有列出 …", "… {} more are left out …"),
    "second": Words("秒", "s"),
    "device": Words("器件", "device"),
    "who": Words("谁", "who"),
    "what": Words("什么", "what"),
    "fields": Words("字段", "fields"),
    "bytes": Words("字节", "bytes"),
    "of_bytes": Words("… 共 {} 字节", "… of {} bytes"),
    "damaged": Words("损坏", "damaged"),
}

VERDICTS: dict[str, Words] = {
    "passed": Words("成立", "passed"),
    "failed": Words("失败", "failed"),
    "error": Words("出错", "error"),
    "skipped": Words("跳过", "skipped"),
}

SIDES: dict[str, Words] = {
    "host": Words("主机", "host"),
    "device": Words("器件", "device"),
    "people": Words("人", "people"),
}

FACTS: dict[str, Words] = {
    "seed": Words("种子", "seed"),
    "trace": Words("记录", "trace"),
    "board": Words("电路板", "board"),
    "device": Words("器件", "device"),
    "what": Words("是什么", "what"),
    "driver": Words("驱动", "driver"),
}
"""What a report says about its run, by the name it has in JUnit XML."""
