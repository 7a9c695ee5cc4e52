"""The words of risk cases in both languages: what they are about, how bad and how late, what has
happened, and what two persons may agree on."""

from faces.words import Words

CASE_NAMES: dict[str, Words] = {
    "subject.payment": Words("付款", "Payment"),
    "subject.payer": Words("付款人", "Payer"),
    "subject.device": Words("设备", "Device"),
    "subject.card": Words("银行卡", "Card"),
    "subject.merchant": Words("商户", "Merchant"),
    "severity.critical": Words("严重", "Critical"),
    "severity.high": Words("高", "High"),
    "severity.medium": Words("中", "Medium"),
    "severity.low": Words("低", "Low"),
    "standing.in_time": Words("按时", "In time"),
    "standing.warned": Words("将到期", "Due soon"),
    "standing.overdue": Words("已逾期", "Overdue"),
    "standing.done": Words("已裁定", "Decided"),
    "case.open": Words("待受理", "Nobody has it"),
    "case.assigned": Words("调查中", "Looked into"),
    "case.proposed": Words("待复核", "Waits for the second person"),
    "case.decided": Words("已裁定", "Decided"),
    "outcome.fraud": Words("欺诈", "Fraud"),
    "outcome.genuine": Words("本人付款", "Genuine"),
    "outcome.suspicious": Words("可疑，须上报", "Suspicious, to be reported"),
    "outcome.inconclusive": Words("无法判断", "Nobody can say"),
    "means.fraud": Words("所选付款标为欺诈", "the payments chosen are labelled fraud"),
    "means.genuine": Words("所选付款标为本人付款", "the payments chosen are labelled genuine"),
    "means.suspicious": Words("不标付款：可疑不等于查实", "labels no payment: it is no proof"),
    "means.inconclusive": Words("不标付款", "labels no payment"),
    "raised.decision": Words("风控规则", "A rule"),
    "raised.devices": Words("设备指纹", "Device fingerprints"),
    "raised.operator": Words("人工", "A person"),
    "reason.clone": Words("设备疑似克隆", "The device seems to be a copy of another"),
    "reason.emulator": Words("设备疑似模拟器", "The device seems to be an emulator"),
    "reason.tampered": Words("设备疑似被改动", "The device seems to be tampered with"),
    "CaseOpened": Words("立案", "Opened"),
    "CaseRaisedAgain": Words("再次告警", "Raised again"),
    "CaseNoted": Words("记录", "Noted"),
    "CaseAssigned": Words("分派给", "Given to"),
    "CaseReleased": Words("放回队列", "Put back into the queue"),
    "CaseOutcomeProposed": Words("提出结论", "Outcome proposed"),
    "CaseDecided": Words("复核同意", "Outcome confirmed"),
    "CaseOutcomeRejected": Words("复核退回", "Outcome sent back"),
    "DeviceEnrolled": Words("设备注册", "Device enrolled"),
    "DeviceActivated": Words("设备启用", "Device activated"),
    "DeviceKeyRotated": Words("设备换密钥", "Device has a new key"),
    "DeviceSuspended": Words("设备暂停", "Device suspended"),
    "DeviceResumed": Words("设备恢复", "Device resumed"),
    "DeviceRevoked": Words("设备吊销", "Device revoked"),
    "label.fraud": Words("标为欺诈", "Labelled fraud"),
    "label.genuine": Words("标为本人付款", "Labelled genuine"),
    "wrong.outcome.field_invalid": Words("请选择一个结论。", "Choose an outcome."),
    "wrong.case.words.field_invalid": Words(
        "请写明依据，最多 2000 个字。", "Say why, in 2,000 characters at most."
    ),
    "wrong.payments.field_invalid": Words(
        "「欺诈」和「本人付款」须选出该对象自己的付款，其他结论不选。",
        "Fraud and genuine are said of payments of this subject: choose them. Other outcomes name"
        " none.",
    ),
    "wrong.payments.payment_not_found": Words(
        "其中有不存在的付款单号。", "One of these numbers is no payment's."
    ),
}
"""Names of the engine; one that is not here is shown as it is."""

CASE_WORDS: dict[str, Words] = {
    "cases": Words("风险案件", "Risk cases"),
    "case": Words("风险案件", "Risk case"),
    "cases_hint": Words(
        "规则或人认为须有人看的对象。先到期的在前；由经办人提出结论，另一人复核。",
        "What a rule or a person wants somebody to look at, the first due first. Whoever looks into"
        " it proposes an outcome, and a second person confirms it.",
    ),
    "cases_undecided": Words("未裁定", "undecided"),
    "cases_warned": Words("将到期", "due soon"),
    "cases_overdue": Words("已逾期", "overdue"),
    "cases_undecided_all": Words("未裁定（全部）", "Not decided"),
    "cases_mine": Words("我经办的", "Mine"),
    "no_cases": Words("没有待处理的案件", "No case waits"),
    "no_cases_match": Words("没有符合条件的案件", "No case matches"),
    "severity": Words("严重程度", "Severity"),
    "standing": Words("时限", "Clock"),
    "due": Words("期限（当日终）", "Due by the end of"),
    "case_about": Words("对象", "About"),
    "assignee": Words("经办人", "Assignee"),
    "opened": Words("立案", "Opened"),
    "raised_times": Words("告警次数", "Alarms"),
    "raised_by": Words("来源", "Raised by"),
    "raised_over": Words("起因", "Raised over"),
    "case_outcome": Words("结论", "Outcome"),
    "first_person": Words("提出人", "Proposed by"),
    "second_person": Words("复核人", "Confirmed by"),
    "labelled_payments": Words("所标付款", "Payments labelled"),
    "case_to_do": Words("处理", "What to do"),
    "take_case": Words("由我经办", "Take it"),
    "take_over": Words("转由我经办", "Take it over"),
    "taken_by": Words("经办人是", "It is looked into by"),
    "put_back": Words("放回队列", "Put it back"),
    "propose_outcome": Words("提出结论", "Propose the outcome"),
    "propose_hint": Words(
        "另一人复核后才生效，此前可以退回。",
        "It counts when a second person confirms it; until then it can be sent back.",
    ),
    "which_payments": Words("哪些付款", "Which payments"),
    "other_payments": Words("其他付款单号（空格分隔）", "Others, by number, blanks between"),
    "this_payment": Words("结论针对这笔付款。", "The outcome is said of this payment."),
    "case_words": Words("依据", "Why"),
    "confirm_outcome": Words("同意，裁定", "Confirm: it is decided"),
    "send_back": Words("不同意，退回", "Send it back"),
    "confirm_hint": Words(
        "同意后不可更改；此结论不标付款。", "What you confirm stays. It labels no payment."
    ),
    "confirm_labels": Words(
        "同意后不可更改，付款立即打标，规则和模型随之学习。",
        "What you confirm stays: the payments are labelled at once, and rules and models learn it.",
    ),
    "waits_for_second": Words(
        "您提出了结论，须由另一人复核。",
        "You have proposed the outcome; somebody else confirms it, or sends it back.",
    ),
    "case_note": Words("记一笔", "Add a note"),
    "case_note_do": Words("记录", "Note it"),
    "case_steps": Words("案件经过", "The case, step by step"),
    "steps_broken": Words(
        "案件记录与写入时不符，从这一步起：",
        "The case's steps are not what was written, from this one on:",
    ),
    "evidence": Words("关联", "What is linked"),
    "evidence_hint": Words(
        "近 90 天内有共同付款的付款人、银行卡和设备。图中编号与表中一致，线越粗付款越多，"
        "虚线有欺诈。",
        "Payers, cards and devices that share payments of the last 90 days. The numbers are those"
        " of the table; a thicker line has more payments, a dashed one has frauds.",
    ),
    "evidence_picture": Words(
        "关联图，内容同表", "The links as a picture; the table says the same"
    ),
    "linked_with": Words("共同付款", "Linked with"),
    "linked_not_yet": Words("尚无付款", "no payment yet"),
    "of_them_fraud": Words("其中欺诈", "of them fraud"),
    "more_links": Words("还有更多关联", "has more links"),
    "more_nodes": Words("更远的还有", "Farther away there are"),
    "subject_timeline": Words("该对象的经过，最新在前", "What happened to it, the latest first"),
    "nothing_happened": Words("近 90 天没有付款", "No payment in the last 90 days"),
    "earlier_too": Words("更早的请用接口查看。", "What is earlier a program gets."),
}
