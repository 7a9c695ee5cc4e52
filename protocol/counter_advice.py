"""The part of the catalogue of errors (`protocol.errors`) that is about a counter: its devices, and
the people who work there."""

from protocol.advice import Row

# Rows are read as a table, so they are longer than a line of code.
# ruff: noqa: E501
COUNTER_ROWS: tuple[Row, ...] = (
    # Peripherals
    ("device_no_reply", "after", "外设没有应答，请检查连线与电源。", "The peripheral does not answer; check its cable and power."),
    ("device_bad_frame", "after", "外设数据出错，请检查连线。", "The peripheral sent damaged data; check its cable."),
    ("device_disconnected", "after", "外设已断开，正在重新连接。", "The peripheral is disconnected; reconnecting."),
    ("printer_paper_end", "after", "打印机缺纸，请装纸。", "The printer is out of paper; load a roll."),
    ("printer_cover_open", "after", "打印机盖未关，请合上。", "The printer's cover is open; close it."),
    ("scan_timeout", "never", "没有扫到二维码，请重试。", "No code was scanned; try again."),
    ("printer_error", "after", "打印机故障，请检查切刀与打印头。", "The printer reports a fault; check its cutter and print head."),
    ("card_timeout", "never", "没有检测到卡片，请将卡片贴近读卡区后重试。", "No card was held to the reader; hold one to it and try again."),
    ("card_not_approved", "never", "密码键盘没有批准，没有资金变动：可能是余额不足、密码错误、顾客按了红键或取走了卡，原因见密码键盘。请重试，或换一张卡、换其他方式。", "The PIN pad did not approve and no money moved: perhaps too little money, a wrong PIN, the red key, or the card drawn out. The pad says which; try again, or take another card or way."),
    ("card_unreadable", "never", "这张卡无法用于此操作，请换一张卡或改用扫码。", "This card cannot be used for this; use another card or scan a code."),
    ("finger_timeout", "never", "没有检测到手指，请重试。", "No finger was placed in time; try again."),
    ("finger_known", "never", "该手指已录入，无需重复录入。", "This finger is already enrolled."),
    ("finger_differs", "never", "两次按下的不是同一个手指，请重新录入。", "The two touches were not of one finger; start again."),
    ("finger_library_full", "never", "指纹库已满，请先删除不用的指纹。", "The sensor holds no more fingers; delete one first."),
    ("element_locked", "never", "安全芯片口令错误或未输入，请检查口令文件。", "The secure element's PIN is wrong or missing; check its file."),
    ("element_blocked", "never", "安全芯片口令尝试次数将尽，已停止尝试，请联系技术支持。", "The secure element has few or no PIN tries left, so no more are made. Call support."),
    ("element_tampered", "never", "安全芯片外壳被打开过，密钥已销毁，请重新注册设备。", "The secure element was opened and its keys are gone; enrol the device again."),
    ("element_key_missing", "never", "安全芯片中没有本机的密钥，请检查芯片或重新注册设备。", "The secure element does not hold this device's key; check it or enrol again."),
    ("firmware_damaged", "after", "固件文件已损坏，未使用，将自动重新获取；若反复出现，请检查网关的磁盘。", "The firmware file is damaged and was not used; it is fetched anew by itself. If that goes on, look at the hub's disk."),
    ("firmware_refused", "never", "控制板拒绝或未能启动新固件，仍运行旧固件，请检查固件文件与签名。", "The controller board refused the new firmware or did not start it and runs the old one; check the file and its signature."),
    ("firmware_lingers", "never", "控制板不肯放下已取消的固件：下次启动时会试运行一次，再次启动后恢复旧固件。", "The controller board does not let go of firmware that is wanted no more: it tries it at its next start, and goes back to the old one at the start after that."),
    ("item_not_given", "never", "商品未能出货，款项将退回。", "The item was not given; the money goes back."),
    ("item_uncertain", "never", "不确定商品是否已出货，请联系店主处理。", "It is not known whether the item was given; ask the owner."),
    # People at the till
    ("staff_sign_in", "never", "请先登录或解锁收银台。", "Sign in, or unlock the till, first."),
    ("staff_unknown", "never", "没有这位员工，请重新选择。", "There is no such member of staff; choose again."),
    ("staff_exists", "never", "已有同名员工，请换一个名称。", "Somebody has this name already; choose another."),
    ("staff_pin_wrong", "never", "口令不正确，请重新输入。", "The PIN is wrong; enter it again."),
    ("staff_pin_weak", "never", "口令须为四至八位数字，且不能全部相同或连续。", "A PIN has four to eight digits, neither all alike nor in a row."),
    ("staff_pin_same", "never", "这就是原来的口令，请换一个。", "This is the present PIN; choose another one."),
    ("staff_pin_given", "never", "这个口令是别人设的，请先登录并设定自己的口令。", "Somebody else set this PIN; sign in with it and choose your own first."),
    ("staff_locked", "after", "口令多次错误，请五分钟后再试。", "Too many wrong PINs; try again in five minutes."),
    ("staff_supervisor", "never", "此操作需要店长授权，请店长输入口令。", "A supervisor must sign for this with a PIN."),
    ("staff_last", "never", "这是最后一位店长，请先登记另一位店长。", "This is the last supervisor; hire another one first."),
    ("staff_spool", "never", "还有未完结的交易，处理后才能退出登录；可以先锁屏。", "Payments are still open, so you cannot sign out yet; lock the screen instead."),
    ("shift_needed", "never", "请先开班再收款。", "Open a shift before taking payments."),
    ("shift_state", "never", "当前班次状态不允许此操作。", "The shift's state does not allow this."),
    ("shift_unsettled", "never", "还有结果未知的交易，需店长授权才能交班。", "Some outcomes are still unknown; a supervisor must sign to close the shift."),
    ("shift_reason_needed", "never", "盘点金额与应有金额不符，请填写原因。", "The count differs from what is expected; say why."),
    ("cash_short", "never", "实收金额不足，请核对。", "The cash given is less than the amount."),
    ("cash_not_found", "never", "找不到这笔现金交易。", "This cash sale was not found."),
    ("card_sale_not_found", "never", "找不到这笔银行卡交易。", "This card sale was not found."),
    ("goods_unknown", "never", "没有这个商品条码，请手工输入金额。", "This barcode is not known; key in the amount."),
)  # fmt: skip
