"""The words of the audit log, in Chinese and English: what was done, on what, which field became
what. What is not here is shown as it stands in the log; files and JSON have nothing but that."""

from faces.words import Words

ACT_NAMES: dict[str, Words] = {
    "act_sign_in": Words("登录", "Signed in"),
    "act_sign_in_failed": Words("登录失败", "Sign-in failed"),
    "act_sign_out": Words("退出", "Signed out"),
    "act_staff": Words("人员", "People"),
    "act_switch": Words("开关", "Switch"),
    "act_key": Words("密钥与地址", "Keys"),
    "act_refund": Words("退款", "Refund"),
    "act_break": Words("对账差异", "Break"),
    "act_case": Words("风险案件", "Risk case"),
    "act_letter": Words("通知", "Callback"),
    "act_request": Words("接口请求", "By the API"),
    "act_withdrawal": Words("提现", "Withdrawal"),
    "act_dispute": Words("争议", "Dispute"),
    "did_stop": Words("停止收款", "stopped"),
    "did_start": Words("恢复收款", "taken up again"),
    "did_invite": Words("邀请", "invited"),
    "did_add": Words("新增", "added"),
    "did_reset": Words("重置双重验证", "set up anew"),
    "did_close": Words("停用", "disabled"),
    "did_open": Words("重新启用", "enabled again"),
    "did_rank": Words("变更角色", "role changed"),
    "did_sign_in": Words("登录", "sign in"),
    "did_sign_out": Words("退出", "signed out"),
    "did_end_session": Words("结束会话", "session ended"),
    "did_sign_out_everywhere": Words("全部退出", "signed out everywhere"),
    "did_set_up": Words("完成设置", "set up"),
    "did_password": Words("修改密码", "password"),
    "did_refund": Words("退款", "refunded"),
    "did_replay": Words("重新发送", "sent again"),
    "did_assign": Words("补单入账", "assigned"),
    "did_ask_back": Words("请渠道退回付款人", "asked the channel to give back"),
    "did_write_off": Words("核销", "written off"),
    "did_resolve": Words("结案", "closed"),
    "did_withdraw": Words("发起提现", "withdrawn"),
    "did_answer": Words("提交说明", "answered"),
    "did_take": Words("受理", "taken"),
    "did_put_back": Words("放回队列", "put back into the queue"),
    "did_note": Words("记录", "noted"),
    "did_propose": Words("提出结论", "outcome proposed"),
    "did_confirm": Words("复核同意", "outcome confirmed"),
    "did_reject": Words("复核退回", "outcome sent back"),
    "did_add_certificate": Words("新增证书", "certificate added"),
    "did_retire_certificate": Words("停用证书", "certificate retired"),
    "did_renew_api_v3_key": Words("重置 APIv3 密钥", "new APIv3 key"),
    "did_renew_api_v2_key": Words("重置 APIv2 密钥", "new APIv2 key"),
    "did_set_callback_address": Words("变更通知地址", "callback address set"),
    "did_post": Words("提交", "asked for"),
    "did_put": Words("设置", "set"),
    "did_patch": Words("修改", "changed"),
    "did_delete": Words("移除", "removed"),
}
"""Kinds of acts, and what was done, by the log's own word."""

SUBJECTS: dict[str, Words] = {
    "merchant number": Words("接口商户号", "merchant number"),
    "merchant": Words("商户", "merchant"),
    "device": Words("设备", "device"),
    "channel": Words("渠道", "channel"),
    "person": Words("人员", "person"),
    "callback": Words("通知", "callback"),
    "payment": Words("付款", "payment"),
    "payout": Words("出款", "payout"),
    "dispute": Words("争议", "dispute"),
    "break": Words("对账差异", "break"),
    "case": Words("风险案件", "risk case"),
}
"""What an act is on: the words before its name."""

FIELDS: dict[str, Words] = {
    "actor": Words("操作人", "by"),
    "amount_minor": Words("金额", "amount"),
    "assignee": Words("经办人", "assignee"),
    "category": Words("告知商户的原因", "told to the merchant"),
    "category_code": Words("商户类别码", "category code"),
    "currency": Words("币种", "currency"),
    "event_count": Words("步骤数", "steps"),
    "failed_tries": Words("失败次数", "failed tries"),
    "is_closed": Words("已停用", "disabled"),
    "is_stopped": Words("已停止收款", "stopped"),
    "merchant_id": Words("商户", "merchant"),
    "outcome": Words("结论", "outcome"),
    "rank": Words("角色", "role"),
    "reason": Words("原因", "reason"),
    "role": Words("所属", "of"),
    "state": Words("状态", "state"),
    "status": Words("应答状态", "HTTP status"),
}
"""Which field became another."""

ACTORS: dict[str, Words] = {
    "console": Words("控制台", "console"),
    "operator": Words("运营令牌", "operator's token"),
    "device": Words("设备", "device"),
    "hub": Words("门店网关", "hub"),
    "payer": Words("顾客", "payer"),
    "merchant": Words("商户接口", "merchant's API"),
    "wallet": Words("钱包", "wallet"),
    "channel": Words("渠道", "channel"),
    "clock": Words("到时自动", "by itself, in time"),
    "configuration": Words("配置", "configuration"),
    "opening link": Words("一次性打开链接", "opening link"),
    "reconciliation": Words("对账", "the reconciliation"),
}
"""Who acts: the word before a person's name."""

YES, NO = Words("是", "yes"), Words("否", "no")
ROLES: dict[str, Words] = {
    "merchant": Words("商户", "a merchant"),
    "operator": Words("平台运营", "the operators"),
}
