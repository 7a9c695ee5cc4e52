"""Words of the pages about people, switches, acts and flows, in Chinese and English."""

from faces.words import Words

OPERATOR_NAMES: dict[str, Words] = {
    "rank_owner": Words("负责人", "Owner"),
    "rank_clerk": Words("操作员", "Clerk"),
    "rank_viewer": Words("只读", "Viewer"),
    "switch_merchant": Words("商户", "Merchant"),
    "switch_device": Words("设备", "Device"),
    "switch_channel": Words("渠道", "Channel"),
    "act_sign_in": Words("登录", "Signed in"),
    "act_sign_in_failed": Words("登录失败", "Sign-in failed"),
    "act_sign_out": Words("退出", "Signed out"),
    "act_staff": Words("人员", "People"),
    "act_switch": Words("开关", "Switch"),
    "act_key": Words("密钥与地址", "Keys"),
    "act_refund": Words("退款", "Refund"),
    "act_break": Words("对账差异", "Break"),
    "act_letter": Words("通知", "Callback"),
    "act_request": Words("接口请求", "By the API"),
    "did_stop": Words("停止收款", "stopped"),
    "did_start": Words("恢复收款", "taken up again"),
    "did_invite": Words("邀请", "invited"),
    "did_add": Words("新增", "added"),
    "did_reset": Words("重置双重验证", "set up anew"),
    "did_close": Words("停用", "closed"),
    "did_open": Words("重新启用", "opened again"),
    "did_rank": Words("变更角色", "role changed"),
    "did_sign_in": Words("登录", "sign in"),
    "did_sign_out": Words("退出", "signed out"),
    "did_end_session": Words("结束会话", "session ended"),
    "did_sign_out_everywhere": Words("全部退出", "signed out everywhere"),
    "did_set_up": Words("完成设置", "set up"),
    "did_password": Words("修改密码", "password"),
    "did_refund": Words("退款", "refunded"),
    "did_replay": Words("重新发送", "sent again"),
    "did_resolve": Words("结案", "closed"),
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
    "closed": Words("已停用", "Closed"),
    "invited": Words("待设置", "Invited"),
    "locked": Words("暂时锁定", "Locked"),
    "active": Words("可登录", "Can sign in"),
    "open_again": Words("重新启用", "Open again"),
    "sign_out_everywhere": Words("全部退出", "Sign out everywhere"),
    "reset_factor": Words("重置双重验证", "Set up anew"),
    "close": Words("停用", "Close"),
    "invite": Words("邀请", "Invite"),
    "invite_hint": Words(
        "系统给出一次性设置码，请当面或电话告知；对方凭它设置密码和手机验证器。",
        "You are shown a setup code once. Tell it in person: with it they choose a password and"
        " pair a phone.",
    ),
    "merchant_or_none": Words("商户号（留空为平台运营）", "Merchant (empty: an operator)"),
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
    "password_changed": Words("密码已修改。", "Your password is changed."),
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
    "stop_new": Words("停止新的付款", "Stop new payments"),
    "why": Words("原因", "Reason"),
    "number_or_name": Words("编号", "Number or name"),
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
    # Acts
    "audit": Words("审计日志", "Audit log"),
    "audit_hint": Words(
        "只增不改：谁、何时、从哪里、做了什么、为什么。",
        "It only grows: who, when, from where, what, and why.",
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
