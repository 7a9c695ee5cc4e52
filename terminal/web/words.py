"""The words of the till's pages, beside those of its screens (`terminal.domain.words`)."""

from faces.words import Words

# Rows are read as a table, so they are longer than a line of code.
# ruff: noqa: E501

WORDS: dict[str, Words] = {
    "amount": Words("金额", "Amount"),
    "charge": Words("收款", "Charge"),
    "scan": Words("扫码收款", "Scan & charge"),
    "clear": Words("清除", "Clear"),
    "clear_hint": Words("长按全部清除", "hold to clear all"),
    "backspace": Words("退格", "Backspace"),
    "cancel": Words("取消", "Cancel"),
    "back": Words("返回", "Back"),
    "recent": Words("最近交易", "Recent"),
    "refund": Words("退款", "Refund"),
    "refunded": Words("已退", "refunded"),
    "no_line": Words("网络未连接，扫码付款不可用", "Offline: payments cannot be sent"),
    "hub_offline": Words("门店网关与后台断开", "The hub has lost the backend"),
    "unknown_count": Words("笔结果未知", "unknown"),
    "together": Words("合计", "total"),
    "oldest": Words("最早", "oldest"),
    "goods_count": Words("件商品出货待店主核实", "items for the owner to look after"),
    "goods": Words("出货待核实", "Goods to look after"),
    "page_lost": Words("终端程序没有应答，正在重连…", "The till's program does not answer; trying again…"),
    "till": Words("收银台", "Till"),
    "scan_to_pay": Words("请扫码支付", "Scan to pay"),
    "recovered": Words("断电后恢复", "Recovered after a restart"),
    "welcome": Words("欢迎光临", "Welcome"),
    "thanks": Words("谢谢惠顾", "Thank you"),
    "how": Words("顾客怎么付？", "How does the payer pay?"),
    "show_code": Words("请出示付款码", "Show your pay code"),
    "hold_code": Words("把付款码对准扫码器", "Hold the pay code to the scanner"),
    "stop": Words("停止并撤销", "Stop and reverse"),
    "stop_hint": Words("停止即申请撤销，以最终结果为准", "Stopping asks for a reversal; wait for its outcome"),
    "no_charge_again": Words("请勿重复收款", "Do not charge again"),
    "being_asked": Words("系统正在自动查询", "It is being asked about by itself"),
    "again": Words("重新收款", "Try again"),
    "next": Words("下一位", "Next customer"),
    "payer": Words("付款人", "Payer"),
    "payment": Words("付款单号", "Payment"),
    "elapsed": Words("已用时", "elapsed"),
    "choose_goods": Words("请选择商品", "Choose"),
    "language": Words("English", "中文"),
}  # fmt: skip

SALE_STATES: dict[str, Words] = {
    "paid": Words("已收款", "paid"),
    "declined": Words("未成功", "declined"),
    "cancelled": Words("已取消", "cancelled"),
    "unknown": Words("结果未知", "unknown"),
}
OPEN_STATE = Words("进行中", "open")
