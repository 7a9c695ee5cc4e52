"""The words of the reconciliation's breaks in both languages: what differs, between which books,
where it stands, what can be done, and what has happened."""

from faces.words import Words

BREAK_NAMES: dict[str, Words] = {
    "LONG_MISSING_ORDER": Words("对方有、我方无", "They have it, we do not"),
    "LONG_STATUS": Words("对方成功、我方未成", "A success with them, not with us"),
    "SHORT_MISSING_CHANNEL": Words("我方有、对方无", "We have it, they do not"),
    "AMOUNT": Words("金额不符", "Amounts differ"),
    "FEE": Words("手续费不符", "Fees differ"),
    "CURRENCY": Words("币种不符", "Currencies differ"),
    "DUPLICATE": Words("对方重复", "Twice with them"),
    "CUTOFF": Words("日切差异", "Another day with them"),
    "REFUND_PENDING": Words("退款待对方确认", "A refund that they have not made yet"),
    "LEDGER": Words("订单与记账不符", "Our order and our posting differ"),
    "FUNDS": Words("到账与账单合计不符", "The money that came is not the file's sum"),
    "POSITION": Words("余额无法解释", "A balance is not what explains it"),
    "WALLET": Words("数字人民币钱包不符", "The e-CNY wallet's sum differs"),
    "break.pooled": Words("待次日核对", "Waits for the next day"),
    "break.posted": Words("已挂账", "Set aside"),
    "break.returning": Words("退回渠道中", "Going back"),
    "break.waiting": Words("待人工处理", "Waits for you"),
    "break.gone": Words("已自行消除", "Gone by itself"),
    "break.resolved": Words("已结案", "Closed"),
    "break.written_off": Words("已核销", "Written off"),
    "open.sagas_open": Words("与渠道的往来未了结", "A channel has not given its last word"),
    "open.unheard": Words("渠道无应答或文件被拒收", "A channel was not heard, or its file refused"),
    "open.reconciliation": Words("有差异待人工处理", "Breaks wait for you"),
    "open.clients_short_minor": Words("自有资金未补足", "Our own money has not come yet"),
    "open.windows": Words("渠道净额不符", "A channel says another net"),
    "open.payouts": Words("出款未获银行确认", "The bank has not confirmed a payout"),
    "open.own_moves": Words("自有资金划转未确认", "The bank has not confirmed a movement of ours"),
    "open.reserve_test": Words("备付金检验未通过", "The reserve's test has failed"),
    "source.payments": Words("我方余额付款的记账", "Our books: payments from balances"),
    "source.offline": Words("我方离线付款的记账", "Our books: offline payments"),
    "source.covered": Words("我方平台担保付款的记账", "Our books: payments borne by the house"),
    "source.cards": Words("我方渠道付款的记账", "Our books: payments through channels"),
    "source.funds": Words("我方货币基金付款的记账", "Our books: payments from the fund"),
    "source.advances": Words("我方垫资付款的记账", "Our books: payments by own advance"),
    "source.refunds": Words("我方退回余额的记账", "Our books: refunds to balances"),
    "source.channel refunds": Words("我方渠道退款的记账", "Our books: refunds through channels"),
    "source.topups": Words("我方充值的记账", "Our books: top-ups"),
    "source.withdrawals": Words("我方提现的记账", "Our books: withdrawals"),
    "source.statement": Words("备付金账户对账单", "The reserve's statement"),
    "source.wallet ECNY": Words("数字人民币钱包对账单", "The e-CNY wallet's statement"),
    "channel.NUCC": Words("网联", "NetsUnion"),
    "channel.CUP": Words("银联", "UnionPay"),
    "channel.CUPQR": Words("银联二维码", "UnionPay QR"),
    "channel.ALIPAY": Words("支付宝", "Alipay"),
    "channel.ECNY": Words("数字人民币", "e-CNY"),
    "channel.FUND": Words("货币基金", "Money-market fund"),
    "channel.ADVBANK": Words("垫资银行", "Advancing bank"),
    "means.LONG_MISSING_ORDER": Words(
        "渠道收了钱，我方没有这笔单；查明后退给付款人或入您的账。",
        "The channel has money for which we have no order; it goes to the payer or to you.",
    ),
    "means.LONG_STATUS": Words(
        "渠道扣款成功，但付款在我方未成；款项会退给付款人，不计入您的结算。",
        "The channel took the money, but the payment failed here; the payer gets it back, and it"
        " is not part of your settlement.",
    ),
    "means.SHORT_MISSING_CHANNEL": Words(
        "我方已收款，渠道账单还没有；多为跨日，您的结算不受影响。",
        "Paid with us, not in the channel's file yet, mostly the next day's. Your settlement"
        " stands.",
    ),
    "means.AMOUNT": Words(
        "两边金额不同，由人工核对；您的结算按我方记录。",
        "The amounts differ and people compare them; your settlement goes by our books.",
    ),
    "means.FEE": Words(
        "渠道手续费与约定不同，由平台承担。",
        "The channel's fee is not the agreed one; that is the operator's matter.",
    ),
    "means.CURRENCY": Words(
        "两边币种不同，由人工核对。", "The currencies differ; people compare them."
    ),
    "means.DUPLICATE": Words(
        "渠道记了两次；多收的会退给付款人。",
        "The channel has it twice; what was taken too much goes back to the payer.",
    ),
    "means.CUTOFF": Words(
        "渠道把它算作另一天；金额一致。", "The channel counts it to another day; the sums agree."
    ),
    "means.REFUND_PENDING": Words(
        "退款已发起，渠道尚未确认。", "The refund is on its way; the channel has not confirmed it."
    ),
    "do.resolve": Words("结案", "Close it"),
    "do.assign": Words("补单入账", "Assign it"),
    "do.ask_back": Words("退回付款人", "Give back to the payer"),
    "do.write_off": Words("核销", "Write it off"),
    "why.resolve": Words(
        "机器没有结论，由人查明。查清后结案，写明查到了什么；结案本身不动账。",
        "Programs have come to no end with it. Find out, then close it and say what you found;"
        " closing moves no money.",
    ),
    "why.assign": Words(
        "渠道多收的钱记在长款；查明属于谁，就入谁的账。",
        "What the channel has too much stands in LONG. Find out whose it is: it is booked to them.",
    ),
    "why.ask_back": Words(
        "渠道多收的钱记在长款；按渠道自己的流水号请渠道退回付款人，原付款的可退金额不受影响。",
        "What the channel took too much stands in LONG. It is asked, by its own number of it, to"
        " give it back to the payer; what can be refunded of the true payment stays as it is.",
    ),
    "why.write_off": Words(
        "渠道少付的钱记在短款；确认收不回时核销，由平台自有资金补足。",
        "What the channel owes and does not pay stands in SHORT. If it is lost, write it off: the"
        " operator's own money covers it.",
    ),
    "happened.BreakPooled": Words("等待对方", "Waits for the other side"),
    "happened.BreakPosted": Words("已挂账", "Set aside in LONG or SHORT"),
    "happened.BreakMarked": Words("按对方日期入账", "Booked under their date"),
    "happened.BreakRounded": Words("按尾差处理", "Taken for rounding"),
    "happened.BreakHandedOver": Words("转人工处理", "Handed to people"),
    "happened.BreakRematched": Words("对方已补上，两边一致", "The other side has come: they agree"),
    "happened.BreakTakenBack": Words("挂账已撤回", "Taken out of LONG or SHORT again"),
    "happened.BreakResolved": Words("结案", "Closed"),
    "happened.BreakGivenBack": Words("已退回付款人", "Given back to the payer"),
    "happened.BreakAskedBack": Words("已请渠道退回", "The channel was asked to give it back"),
    "happened.BreakKept": Words("渠道拒绝退回", "The channel has refused"),
    "happened.BreakAssigned": Words("补单入账", "Assigned"),
    "happened.BreakWrittenOff": Words("核销", "Written off"),
}
"""Names of the engine; one that is not here is shown as it is."""

BREAK_WORDS: dict[str, Words] = {
    "breaks": Words("对账差异", "Breaks"),
    "break": Words("对账差异", "Break"),
    "no_breaks": Words("没有未处理的对账差异", "No break is open"),
    "ours": Words("我方", "Ours"),
    "theirs": Words("对方", "Theirs"),
    "words": Words(
        "处理说明（至少四个汉字或两个单词）",
        "Why (two words or four Chinese characters)",
    ),
    "breaks_hint": Words(
        "每条差异只有一个建议的处理；填写原因后办理。点开可看经过。",
        "Each has one proposed action; give a reason and do it. Open one to see what happened.",
    ),
    "proposed": Words("建议处理", "Proposed"),
    "day_is_open": Words("未关闭", "is open"),
    "day_is_open_hint": Words(
        "原因消除后重跑该日，已完成的不会重复。",
        "When the reasons are gone, run the day again: nothing is done twice.",
    ),
    "waits_until": Words("等待对方，至", "Waits for the other side until"),
    "channel_is_asked": Words("渠道正在退回", "The channel is giving it back"),
    "owner_of_money": Words("款项归属", "Whose money it is"),
    "compared_with": Words("比对", "Compared with"),
    "their_number": Words("对方流水号", "Their own number"),
    "by_itself_on": Words(
        "无人处理时，日终自动办理，不早于",
        "If nobody decides, it is done by itself at a day's end, not before",
    ),
    "belongs_here": Words("款项另有归属？补单入账", "It belongs to somebody here? Assign it"),
    "no_number": Words(
        "渠道账单没有给出自己的流水号，无法请其退回。",
        "The channel's file tells no number of its own for it, so it cannot be asked back.",
    ),
    "refused_often": Words(
        "渠道已多次拒绝退回，再问多半无果：请与渠道联系，查明款项归属后补单入账。",
        "The channel has refused to give it back several times, and asking again is of little use:"
        " talk to the channel, find out whose the money is, and assign it.",
    ),
    "ask_once_more": Words("渠道改口了？再请其退回", "The channel thinks otherwise now? Ask again"),
    "channel_gives_no_back": Words(
        "该渠道不支持按自己的流水号退回。", "This channel gives nothing back by its own number."
    ),
}
