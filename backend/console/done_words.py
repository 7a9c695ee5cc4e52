"""What a page says, once, of the act that led to it."""

from faces.words import Words

DONE_NAMES: dict[str, Words] = {
    "done.password": Words("密码已修改。", "Your password is changed."),
    "done.break": Words("差异已处理，并记入审计日志。", "It is dealt with, and in the audit log."),
    "done.asked_back": Words("已请渠道退回付款人。", "The channel is asked to give it back."),
    "done.case_taken": Words("案件由您经办。", "The case is yours to look into."),
    "done.case_put_back": Words("案件已放回队列。", "The case is in the queue again."),
    "done.case_noted": Words("已记录。", "Your note stands with the case."),
    "done.case_proposed": Words(
        "结论已提出，等待另一人复核。", "Your outcome is proposed; a second person confirms it."
    ),
    "done.case_decided": Words(
        "案件已裁定，并记入审计日志。", "The case is decided, and in the audit log."
    ),
    "done.case_sent_back": Words("结论已退回经办人。", "It is back with whoever looks into it."),
    "done.replayed": Words("通知已重新排队发送。", "The callback is in the queue again."),
    "done.stopped": Words("已停止新的付款。", "New payments are refused from now on."),
    "done.started": Words("已恢复收款。", "New payments are taken again."),
    "done.refunded": Words("退款已提交。", "The refund is asked for."),
    "done.answered": Words("说明已提交。", "Your answer is handed in."),
    "done.withdrawn": Words("提现已发起。", "The withdrawal is on its way."),
    "done.keys": Words("已变更，并记入审计日志。", "It is changed, and in the audit log."),
    "done.staff": Words("已变更，立即生效。", "It is changed, and counts at once."),
    "done.session": Words("会话已结束。", "The session is over."),
}
"""By the word that the address of the page has (``?done=…``)."""
