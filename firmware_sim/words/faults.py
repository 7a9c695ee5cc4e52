"""What faults of a line are called, in both languages."""

from faces.words import Words

FAULTS: dict[str, Words] = {
    "silent": Words("沉默：什么都不通过", "Silent: nothing passes"),
    "drop": Words("丢失一个字节", "A byte is lost"),
    "duplicate": Words("一个字节来两次", "A byte comes twice"),
    "flip": Words("一位出错", "A bit is wrong"),
    "noise": Words("前面多六个噪声字节", "Six bytes of noise before it"),
    "slow": Words("每字节前停顿", "A pause before every byte"),
    "delay": Words("余下的迟到", "The rest comes late"),
    "truncate": Words("余下的丢失", "The rest is lost"),
    "stuck": Words("之后都读成 00", "From there on it reads 00"),
    "cut": Words("之后插头被拔", "The plug is pulled after it"),
    "power_cut": Words("之后断电", "The power fails after it"),
    "brown_out": Words("之后器件重启", "The device restarts after it"),
}
SHORT_FAULTS: dict[str, Words] = {
    "silent": Words("沉默", "Silent"),
    "drop": Words("丢字节", "Drop"),
    "duplicate": Words("重字节", "Double"),
    "flip": Words("错位", "Flip"),
    "noise": Words("噪声", "Noise"),
    "slow": Words("变慢", "Slow"),
    "delay": Words("迟到", "Delay"),
    "truncate": Words("截断", "Truncate"),
    "stuck": Words("卡住", "Stuck"),
    "cut": Words("拔插头", "Unplug"),
    "power_cut": Words("断电", "Power cut"),
    "brown_out": Words("重启", "Restart"),
}

FAULTS_SET, NO_FAULTS = Words("故障", "Faults"), Words("线路正常", "The line is sound")
