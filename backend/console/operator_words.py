"""Words of the pages about people, switches, acts and flows, in Chinese and English."""

from faces.words import Words

OPERATOR_NAMES: dict[str, Words] = {
    "rank_owner": Words("负责人", "Owner"),
    "rank_clerk": Words("操作员", "Clerk"),
    "rank_viewer": Words("只读", "Viewer"),
    "stop_complaints": Words("顾客投诉核查", "complaints of payers are looked into"),
    "stop_risk": Words("风险核查", "a check for risk"),
    "stop_papers": Words("需要补充资料", "papers are missing"),
    "stop_fault": Words("技术故障", "a technical fault"),
    "stop_other": Words("请联系平台运营", "please ask the operator"),
    "switch_merchant": Words("商户", "Merchant"),
    "switch_device": Words("设备", "Device"),
    "switch_channel": Words("渠道", "Channel"),
    "flow_sale_by_code": Words("付款码收款", "Sale by pay code"),
    "flow_shown_code": Words("出示收款码", "Shown code"),
    "flow_mandate_debit": Words("免密扣款", "Debit by mandate"),
    "flow_refund": Words("退款", "Refund"),
    "flow_asking": Words("查询、关闭与冲正", "Query, close, reverse"),
    "flow_merchant_api": Words("商户接口", "Merchants' API"),
    "flow_wallet": Words("钱包", "Wallet"),
    "flow_callback": Words("商户通知", "Callbacks"),
    "flow_channel": Words("渠道调用", "Channel calls"),
}
"""What an act was, a person may do, and a switch is of."""

OPERATOR_WORDS: dict[str, Words] = {
    # People
    "staff": Words("人员", "People"),
    "staff_hint": Words(
        "每个人都有自己的用户名、密码和手机验证器。改动立即生效，并记入审计日志。",
        "Everybody has a name, a password and a phone of their own. A change counts at once and"
        " stands in the audit log.",
    ),
    "of_whom": Words("所属", "Of"),
    "operators": Words("平台运营", "operators"),
    "rank": Words("角色", "Role"),
    "change": Words("更改", "Change"),
    "closed": Words("已停用", "Disabled"),
    "invited": Words("待设置", "Invited"),
    "locked": Words("暂时锁定", "Locked"),
    "active": Words("可登录", "Can sign in"),
    "open_again": Words("重新启用", "Enable again"),
    "sign_out_everywhere": Words("全部退出", "Sign out everywhere"),
    "reset_factor": Words("重置双重验证", "Set up anew"),
    "close": Words("停用", "Disable"),
    "sure_sign_out_everywhere": Words(
        "所有设备上的登录立即结束，之后可以重新登录。",
        "Every session of this person ends at once; they can sign in again.",
    ),
    "sure_reset_factor": Words(
        "现在的密码和手机验证器立即失效。系统给出一次性设置码，对方凭它重新设置后才能登录。",
        "The password and the phone stop working at once. You are shown a setup code; until they"
        " have set up with it, they cannot sign in.",
    ),
    "sure_close": Words(
        "此人立即退出，不能再登录，直到重新启用。",
        "This person is signed out at once and cannot sign in until enabled again.",
    ),
    "invite": Words("邀请", "Invite"),
    "invite_hint": Words(
        "系统给出一次性设置码，请当面或电话告知；对方凭它设置密码和手机验证器。",
        "You are shown a setup code once. Tell it in person: with it they choose a password and"
        " pair a phone.",
    ),
    "merchant_or_none": Words("商户（留空为平台运营）", "Merchant (empty: an operator)"),
    "rank_owner_may": Words("全部操作，并管理人员", "Everything, and who the others are"),
    "rank_clerk_may": Words("全部操作，不能管理人员", "Everything but that"),
    "rank_viewer_may": Words("只能查看", "Look, and change nothing"),
    "setup_secret": Words("设置码", "Setup code"),
    "setup_secret_hint": Words(
        "只显示这一次。离开本页后无法再查看，只能重置。",
        "Shown this once. After this page it can only be made anew.",
    ),
    "setup_life": Words("48 小时内有效，用过即失效。", "Good for 48 hours, and once."),
    "noted_down": Words("已记下", "I have noted it"),
    "address": Words("地址", "Address"),
    # Setting up
    "setup": Words("首次设置", "Set up your account"),
    "setup_hint": Words(
        "输入负责人给您的用户名和一次性设置码。",
        "Your name, and the setup code that an owner gave you.",
    ),
    "go_on": Words("下一步", "Go on"),
    "setup_phone": Words("绑定手机验证器", "Pair your phone"),
    "setup_phone_hint": Words(
        "用验证器应用扫描，再输入它显示的六位动态码，并设置密码。",
        "Scan this with your authenticator, type the six digits it shows, and choose a password.",
    ),
    "setup_by_hand": Words("无法扫描时手动输入：", "Cannot scan? Type:"),
    "setup_finish": Words("完成设置", "Finish"),
    "setup_is_done": Words("设置完成，请登录。", "All set. Please sign in."),
    "setup_link": Words("有设置码？首次设置", "Have a setup code? Set up your account"),
    # One's own account
    "account": Words("我的账户", "My account"),
    "sessions": Words("登录中的会话", "Where I am signed in"),
    "began": Words("登录时间", "Since"),
    "last_used": Words("最近使用", "Last used"),
    "this_one": Words("当前", "This one"),
    "change_password": Words("修改密码", "Change password"),
    "password_now": Words("当前密码", "Present password"),
    "password_new": Words("新密码（至少十二个字符）", "New password (twelve characters or more)"),
    "password_again": Words("再输入一次新密码", "New password again"),
    "password_hint": Words(
        "修改后，其他会话会立即退出。", "Your other sessions are signed out at once."
    ),
    # Switches
    "switches": Words("紧急开关", "Kill switches"),
    "switches_hint": Words(
        "停止后立即拒绝新的付款；退款、查询、冲正和进行中的付款不受影响。",
        "A stop refuses new payments at once. Refunds, queries, reversals and what is under way"
        " go on.",
    ),
    "nothing_stopped": Words("没有停止任何收款", "Nothing is stopped"),
    "stopped": Words("已停止", "Stopped"),
    "start": Words("恢复收款", "Take payments again"),
    "stop": Words("停止收款", "Stop payments"),
    "stop_check": Words("核对停止收款", "Check the stop"),
    "stop_new": Words("停止新的付款", "Stop new payments"),
    "why": Words("原因", "Reason"),
    "told_merchant": Words("告知商户的原因", "What the merchant is told"),
    "inside_only": Words("仅内部可见", "seen by operators alone"),
    "you_are_stopped": Words("平台已暂停您的收款", "The operator has stopped your payments"),
    "refunds_go_on": Words("退款、结算和查询不受影响。", "Refunds, settlements and queries go on."),
    "characters": Words("个字", "characters"),
    "find": Words("查找", "Find"),
    "find_person": Words("姓名或商户（全称或一部分）", "Name or merchant, or a part of it"),
    "no_person_matches": Words("没有符合条件的成员", "Nobody matches"),
    "find_subject": Words(
        "查找商户或设备（编号、名称、门店）", "Find a merchant or device by number, name or store"
    ),
    "find_more": Words("还有更多，请输入更多字。", "There are more: type more of the name."),
    "find_nothing": Words("没有找到商户或设备。", "No merchant and no device is called that."),
    "number_or_name": Words("编号", "Id"),
    "id_or_name": Words("编号或名称", "Id or name"),
    "stop_merchant_hint": Words(
        "该商户的所有设备、收款码和接口。", "All of its devices, codes and programs."
    ),
    "stop_device_hint": Words("只停这一台；同店其他设备照常。", "This one; those beside it go on."),
    "stop_channel_hint": Words(
        "付款改走其他可用渠道；没有其他渠道时拒绝。",
        "Payments take another channel; where there is none they are refused.",
    ),
    "switched_before": Words("已恢复的开关", "Taken up again"),
    "all_turns": Words("全部开关记录", "Every turn of a switch"),
    # Merchants
    "merchants": Words("商户", "Merchants"),
    "merchants_hint": Words(
        "查看商户自己的页面；只看不改。",
        "Look at a merchant's own pages; nothing is changed there.",
    ),
    "its_pages": Words("商户页面", "Its pages"),
    "find_merchant": Words("查找商户（编号或名称）", "Find a merchant by number or name"),
    "find_no_merchant": Words("没有找到商户。", "No merchant is called that."),
    # Breaks and devices
    "sort": Words("排序", "Sort"),
    "oldest_first": Words("最早在前", "Oldest first"),
    "newest_first": Words("最新在前", "Newest first"),
    "page": Words("页", "Page"),
    "devices_count": Words("台设备", "devices"),
    "devices_count_one": Words("台设备", "device"),
    "page_before": Words("上一页", "Page before"),
    "by_store": Words("按门店", "By store"),
    "by_spool": Words("按待发", "By waiting"),
    "by_seen": Words("最近报告", "Last heard of"),
    "by_offline": Words("离线在前", "Offline first"),
    # Flows
    "flows": Words("流量与时延", "Flows"),
    "flows_hint": Words(
        "所有后端进程从收到到应答的实测数据之和，保留 24 小时，重启不丢；"
        "其他进程的最近一分钟稍后计入。"
        "拒绝是有结果的应答，失败是没有结果。",
        "Measured from the request to its answer by all backend processes together, kept for 24"
        " hours, over restarts; the others' last minute comes a minute later. Refused is an answer;"
        " failed is none, or an open outcome.",
    ),
    "how_measured": Words("怎样测量", "How it is measured"),
    "span": Words("时间范围", "Span"),
    "span_15m": Words("15 分钟", "15 min"),
    "span_1h": Words("1 小时", "1 h"),
    "span_6h": Words("6 小时", "6 h"),
    "span_24h": Words("24 小时", "24 h"),
    "flow": Words("流程", "Flow"),
    "course": Words("走势", "Course"),
    "requests": Words("请求", "Requests"),
    "per_minute": Words("每分钟", "Per minute"),
    "refused_part": Words("拒绝", "Refused"),
    "failed_part": Words("失败", "Failed"),
    "unknown_by_channel": Words("结果未知，按渠道", "Unknown outcomes by channel"),
    "from_balance": Words("余额", "balance"),
    "list_behind": Words("明细", "The payments"),
    "spools": Words("网关与设备待发", "Waiting in hubs and devices"),
    "no_spool": Words("没有网关报告，也没有设备积压", "No hub has reported; no device holds back"),
    "book": Words("账簿", "Book"),
    "difference": Words("差额", "Difference"),
    "reserve_tests": Words("备付金检验记录", "Reserve tests"),
    "run_number": Words("次数", "Run"),
    # Acts
    "audit": Words("审计日志", "Audit log"),
    "audit_hint": Words(
        "只增不改：谁、何时、从哪里、做了什么、为什么。",
        "It only grows: who, when, from where, what, and why.",
    ),
    "audit_own_hint": Words(
        "贵店人员做的事（包括未成功的登录），以及平台对贵店付款做的事。导出的文件中，序号是全平台"
        "连续的，所以会跳号。",
        "What your people did, also sign-ins that failed, and what operators did to your payments."
        " In the file, numbers run over everybody's acts: those between are not yours.",
    ),
    "on_what": Words("对象", "On what"),
    "act_number": Words("序号", "No."),
    "before_after": Words("之前 → 之后", "Before → after"),
    "no_acts": Words("没有符合条件的记录", "No act matches"),
    "chain_whole": Words(
        "校验链完整：没有一条被改动或删除。", "The chain holds: no line was changed or dropped."
    ),
    "chain_broken": Words("校验链断裂，首条不符的序号：", "The chain is broken, first at line"),
}
