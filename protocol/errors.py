"""The errors of the stack, and what each tells a person.

    TillwayError                 code · zh · en · retry
    ├── CallerError              the caller's mistake: shown, never retried unchanged
    ├── OperatingError           peer, network, lock: retried with the same id, counted, warned
    └── (bugs are AssertionError and the like: they are not in this tree, they crash and page)

An error is a stable code; the catalogue gives each code its family, retry rule and one sentence
of advice in Chinese and in English. A code that is not in the catalogue cannot be raised.
"""

from protocol.advice import Advice, Row
from protocol.counter_advice import COUNTER_ROWS


class TillwayError(Exception):
    """An error with a stable code; ``detail`` is for logs and never holds a secret or a PAN.
    ``detail_zh`` says the same in Chinese, where a person must find what is wrong by it."""

    def __init__(self, code: str, detail: str = "", *, detail_zh: str = "") -> None:
        self.advice = advice(code)
        self.detail = detail
        self.detail_zh = detail_zh
        super().__init__(f"{code}: {detail}" if detail else code)

    @property
    def code(self) -> str:
        """The stable code."""
        return self.advice.code

    def to_wire(self) -> dict[str, str]:
        """The wire form: code, retry rule and the two sentences."""
        found = self.advice
        return {"code": found.code, "retry": found.retry, "zh": found.zh, "en": found.en}


class CallerError(TillwayError):
    """The caller's mistake."""


class OperatingError(TillwayError):
    """Something around us failed; the same request may succeed later."""


def advice(code: str) -> Advice:
    """The catalogue's entry for a code. An unknown code is a bug, so it raises ``KeyError``."""
    return CATALOGUE[code]


def is_known(code: str) -> bool:
    """Whether the catalogue has this code."""
    return code in CATALOGUE


def from_code(code: str, detail: str = "") -> TillwayError:
    """The error of a code received from a peer."""
    family = CallerError if advice(code).retry == "never" else OperatingError
    return family(code, detail)


# Rows are read as a table, so they are longer than a line of code.
# ruff: noqa: E501
_ROWS: tuple[Row, ...] = (
    # Envelope and transport
    ("envelope_malformed", "never", "报文无法解析，请升级终端软件。", "The message cannot be read; update the terminal's software."),
    ("envelope_version", "never", "报文版本不受支持，请升级终端软件。", "The message version is not supported; update the terminal's software."),
    ("envelope_too_large", "never", "报文过大，请联系技术支持。", "The message is too large; call support."),
    ("envelope_stale", "same_id", "终端与门店网关或服务器的时间相差超过五分钟，请校准有误的一方后重试。", "The clocks of the terminal and of the hub or the server are more than five minutes apart; set the wrong one and try again."),
    ("envelope_replayed", "same_id", "该报文已被接收过，已拒绝重放。", "This message was received before; the replay is refused."),
    ("signature_invalid", "never", "签名无效，请重新注册设备。", "The signature is not valid; enrol the device again."),
    ("identity_mismatch", "never", "连接身份与报文中的设备不一致，已拒绝。", "The connection belongs to another device than the message; refused."),
    ("call_up_unproven", "never", "商户的签名不正确，无法打开付款。", "The merchant's signature is wrong; the payment is not opened."),
    ("device_unknown", "never", "设备未注册，请先注册。", "This device is not enrolled; enrol it first."),
    ("device_suspended", "after", "设备已暂停使用，请联系店长。", "This device is suspended; ask the store manager."),
    ("device_revoked", "never", "设备已被吊销，不能再用于收款。", "This device has been revoked and can no longer take payments."),
    ("reply_address_invalid", "never", "应答地址不属于该设备，已拒绝。", "The reply address does not belong to this device; refused."),
    ("message_type_unknown", "never", "不支持的业务类型，请升级软件。", "This kind of message is not supported; update the software."),
    ("field_invalid", "never", "请求字段有误，请检查后重试。", "A field of the request is wrong; correct it and try again."),
    ("merchant_api_refused", "never", "商户接口拒绝了该请求，原因见应答。", "The merchant interface refused the request; its answer says why."),
    ("busy", "same_id", "系统繁忙，请稍后用同一单号重试。", "The system is busy; try again shortly with the same number."),
    ("backend_unreachable", "same_id", "网络中断，结果未知，请勿重复收款，稍后自动查询。", "The line is down and the outcome is unknown; do not charge again, it will be queried."),
    ("server_unreachable", "same_id", "该地址的程序没有应答，请检查地址、网络和程序是否在运行，然后重试同一操作。", "The program at this address does not answer; check the address, the network and that it runs, then try again."),
    ("hub_silent", "same_id", "门店网关没有应答，请检查网关和网线；系统会自动重试。", "The store's hub does not answer; check the hub and the line. It is asked again by itself."),
    ("hub_unreachable", "after", "连接不上门店网关，正在重试；请检查网关是否在运行、地址和网线。", "The store's hub cannot be reached; trying again. Check that it runs, its address and the line."),
    ("hub_refused", "after", "门店网关拒绝了本机；请确认设备已启用、没有被吊销，也没有另一台在用它的身份。", "The store's hub refuses this device; check that it is active, not revoked, and that no other device uses its identity."),
    ("hub_certificate_expired", "after", "按本机时钟，门店网关的证书已过期；请核对本机时钟，时钟无误则更换网关证书。", "By this device's clock the hub's certificate has expired; check the clock, and if it is right renew the certificate."),
    ("hub_certificate_early", "after", "按本机时钟，门店网关的证书尚未生效；本机时钟可能慢了，请核对。", "By this device's clock the hub's certificate is not valid yet; the clock may be slow, check it."),
    ("hub_certificate_unknown", "after", "门店网关的证书不是本机所信任的，或名称不符；请核对地址和注册信息，不要忽略。", "The hub's certificate is not trusted by this device, or is for another name; check the address and the enrolment."),
    ("own_certificate_refused", "after", "门店网关不接受本机的证书，可能已过期；请核对本机和网关的时钟，再续期或重新注册本机。", "The hub does not accept this device's certificate, which may have expired; check both clocks, then renew it or enrol again."),
    ("hub_tls_failed", "after", "与门店网关的加密连接无法建立；请核对两端的 TLS 设置。", "The hub and this device could not agree on encryption; check the TLS settings of both ends."),
    ("broker_unreachable", "after", "消息服务器连接不上，正在重试，请检查网络与证书。", "The message broker cannot be reached; trying again. Check the line and the certificates."),
    ("journal_unwritable", "after", "收款机的磁盘已满，无法收款；请清理磁盘，有空间后自动恢复，此前的收款不会丢失。", "The till's disk is full and nothing can be sold; make room on it. It goes on by itself, and nothing that was taken is lost."),
    ("spool_unwritable", "after", "门店网关的磁盘已满，暂时无法受理；请清理网关的磁盘，有空间后自动恢复，此前的收款不会丢失。", "The store hub's disk is full and nothing new is taken; make room on it. It goes on by itself, and nothing that was taken is lost."),
    ("timeout", "same_id", "等待超时，结果未知，请勿重复收款。", "No answer in time; the outcome is unknown, do not charge again."),
    ("internal", "same_id", "系统内部错误，请稍后用同一单号重试。", "An internal error occurred; try again later with the same number."),
    ("answer_too_large", "after", "结果太多，请缩小查询范围。", "There are too many results; ask for less at a time."),
    # Opening links of a development stack
    ("opening_unknown", "never", "这不是有效的打开链接，请回首页再按一次。", "This opening link is not valid here; press the button on the front page again."),
    ("opening_used", "never", "这个链接已经用过一次，不能再用。请回首页再按一次。", "This link was used once already, and opens nothing more; press the button on the front page again."),
    ("opening_expired", "never", "这个链接已过期（有效两分钟），请回首页再按一次。", "This link has expired: it is good for two minutes. Press the button on the front page again."),
    ("opening_elsewhere", "never", "打开链接只能在运行本套程序的这台机器上、由本站页面使用。", "An opening link works on the machine that runs the stack only, and from its own pages only."),
    # Settings and firmware of devices
    ("setting_unknown", "never", "没有这个设置项，请核对名称。", "There is no setting of this name; check its spelling."),
    ("setting_invalid", "never", "设置值不在允许范围内，请修改后重试。", "The setting's value is out of its bounds; correct it and try again."),
    ("setting_unfit", "never", "该终端缺少所需部件或资料，不能使用此设置。", "This terminal lacks what the setting needs; it keeps its earlier settings."),
    ("setting_trial_failed", "never", "新设置试用失败，终端已自动恢复原设置。", "The new settings failed on trial; the terminal went back to its earlier ones."),
    ("setting_trial_cut", "never", "新设置试用期间终端重启，已自动恢复原设置，可再次下发。", "The terminal restarted while it tried the new settings and went back to its earlier ones; set them again if nothing else was wrong."),
    ("firmware_unknown", "never", "找不到该固件，请先上传。", "This firmware is not known; bring it first."),
    ("firmware_file_invalid", "never", "该文件不是可安装的已签名固件，请检查文件。", "This file is no signed firmware that could be installed; check the file."),
    ("firmware_unfit", "never", "该设备没有可更新的控制板。", "This device has no board that could run the firmware."),
    ("rollout_not_found", "never", "找不到这次发布。", "This rollout was not found."),
    ("rollout_state", "never", "发布当前状态不允许此操作。", "The rollout's state does not allow this."),
    ("rollout_no_answer", "never", "终端在规定时间内没有回应，已按失败计。", "The device did not answer in the time that the rollout gave it; it counts as failed."),
    ("rollout_no_device", "never", "所选条件下没有可发布的设备。", "No device fits what was chosen; there is nothing to roll out."),
    # Bank cards
    ("card_number_invalid", "never", "卡号不正确，请核对后重新输入。", "The card's number is not right; check it and type it again."),
    ("card_refused", "never", "银行没有这张卡，或不是您本人名下的卡；请核对卡号和银行预留手机号。", "The bank has no such card in your own name; check the number and the phone that the bank knows."),
    ("card_known", "never", "这张银行卡已在您的钱包里，无需再次添加。", "This card is in your wallet already; there is no need to add it again."),
    ("card_code_wrong", "never", "银行短信验证码不正确，请核对最新一条短信。", "The bank's code is wrong; look at its newest text message."),
    ("card_binding_over", "never", "添加银行卡已超时（十分钟），请重新输入卡号。", "Adding the card has taken longer than ten minutes; begin with its number again."),
    # Values
    ("id_invalid", "never", "单号格式有误。", "The number is not well formed."),
    ("amount_invalid", "never", "金额必须大于零且在允许范围内。", "The amount must be above zero and within the limit."),
    ("currency_unsupported", "never", "不支持该币种。", "This currency is not supported."),
    ("currency_mismatch", "never", "币种不一致。", "The currencies differ."),
    # Payments
    ("idempotency_conflict", "never", "同一单号的内容不一致，请换新单号。", "The same number was used with other content; use a new number."),
    ("payment_not_found", "never", "找不到这笔付款。", "This payment was not found."),
    ("payment_state", "never", "当前状态不允许此操作。", "The payment's state does not allow this."),
    ("sale_unfinished", "never", "屏幕上还有一笔没有完成的收款，请先完成或取消。", "A sale on the screen is not finished; finish or cancel it first."),
    ("payment_closed", "never", "付款已关闭，请重新发起。", "The payment is closed; start a new one."),
    ("payment_paid", "never", "这笔付款已经付过，请勿重复付款。", "This payment is paid already; do not pay it again."),
    ("payment_processing", "never", "这笔付款正在处理中，请勿重复付款，稍后再看结果。", "This payment is on its way; do not pay it again, look at it in a moment."),
    ("payment_expired", "never", "二维码已过期，请重新出码。", "The QR code has expired; show a new one."),
    ("code_not_payable", "never", "这不是本钱包能付款的码，请扫描店里出示的收款码。", "This is no code that this wallet can pay; scan the one that the shop shows."),
    ("code_not_found", "never", "这个收款码已停用或不存在，请询问店员。", "This code is not in use; ask the shop."),
    ("payment_other_device", "never", "这笔付款是另一台设备发起的，请在原设备上撤销，或办理退款。", "Another device made this payment; undo it there, or give a refund."),
    ("reverse_too_late", "never", "只能在付款当日撤销，请改为退款。", "A payment can be undone on its own day only; give a refund instead."),
    ("payment_too_late", "never", "付款请求在途中耽搁过久，已作废，没有扣款，请重新收款。", "The payment request took too long to arrive; nothing was charged, start a new payment."),
    ("insufficient_balance", "never", "余额不足，请顾客更换支付方式。", "The balance is not enough; ask the payer for another way to pay."),
    ("pay_code_expired", "never", "付款码已过期，请顾客刷新后重新扫码。", "The pay code has expired; ask the payer to refresh it and scan again."),
    ("pay_code_invalid", "never", "付款码无效，请顾客出示钱包的付款码。", "The pay code is not valid; ask the payer to show a payment code."),
    ("merchant_code_scanned", "never", "扫到的是收款码，不能付款，请顾客打开“付款码”页面重新扫码。", "This is a merchant's code, which only receives money; ask the payer to open the pay code instead."),
    ("wallet_not_taken", "never", "本机不收该钱包的付款码，请顾客换一个钱包。", "This till does not take that wallet's pay codes; ask the payer for another wallet."),
    ("payer_not_confirmed", "never", "顾客没有在手机上确认付款，请重新扫码。", "The payer did not confirm on the phone; scan a new code."),
    ("pay_code_used", "never", "付款码已使用过，请顾客刷新后重新扫码。", "The pay code was used already; ask the payer to refresh it."),
    ("pay_code_attempts", "after", "付款码连续错误，本机暂停扫码十分钟。", "Too many wrong pay codes; this device must wait ten minutes."),
    ("pin_required", "never", "需要支付密码，请输入后重试。", "The payment PIN is needed; enter it and try again."),
    ("pin_wrong", "never", "支付密码错误，请重新输入；多次错误会锁定。", "The payment PIN is wrong; enter it again. Several wrong ones lock it."),
    ("pin_weak", "never", "新支付密码须是六位数字，不能与原密码相同，也不能是六个相同或连续的数字。", "A new PIN has six digits; it is not the old one, not one digit six times, and no run up or down."),
    ("pin_unlike", "never", "两次输入的新支付密码不一致，请重新输入。", "The two new PINs differ; enter them again."),
    ("pin_locked", "after", "支付密码错误次数过多，请三十分钟后再试。", "Too many wrong PINs; try again in thirty minutes."),
    ("payer_unknown", "never", "付款账户不存在。", "The payer's account does not exist."),
    ("payer_frozen", "never", "付款账户已冻结，请联系客服。", "The payer's account is frozen; call customer service."),
    ("merchant_unknown", "never", "商户不存在或已停用。", "The merchant does not exist or is closed."),
    ("merchant_stopped", "never", "该商户已被暂停收款，没有扣款，请联系平台运营。", "This merchant takes no payments for now; nothing was charged. Ask the operator."),
    ("device_stopped", "never", "本机已被暂停收款，没有扣款，请用另一台设备。", "This device takes no payments for now; nothing was charged. Use another device."),
    ("payer_refused", "never", "顾客在手机上拒绝了这笔付款。", "The payer refused this payment on the phone."),
    ("biometric_mismatch", "never", "指纹不匹配，付款已拒绝。", "The fingerprint does not match; the payment is declined."),
    ("biometric_unavailable", "never", "指纹设备不可用，请检查设备或更换支付方式。", "The fingerprint sensor does not answer; check it or pay another way."),
    ("risk_declined", "never", "交易存在风险，已拒绝，请顾客联系客服。", "The payment was declined for risk; the payer may call customer service."),
    ("risk_velocity", "never", "付款过于频繁，请稍后再试。", "Too many payments in a short time; try again later."),
    # Instruments and channels
    ("instrument_unknown", "never", "该支付方式不存在或已解绑，请更换支付方式。", "This way to pay does not exist or was removed; choose another."),
    ("instrument_count_exceeded", "never", "绑定的支付方式过多，请先解绑一个。", "There are too many ways to pay; remove one first."),
    ("instrument_taken", "never", "该银行卡或基金账户已被其他用户绑定，请更换或联系客服。", "Another payer has this card or fund account; choose another, or ask us."),
    ("channel_declined", "never", "银行未通过扣款，请顾客更换支付方式。", "The bank declined the payment; ask the payer for another way to pay."),
    ("channel_unavailable", "never", "支付渠道暂不可用，没有资金变动，请稍后重新发起或更换方式。", "The payment channel cannot be reached; no money was moved. Start anew later, or use another way."),
    ("channel_stopped", "never", "该支付渠道已暂停使用，没有资金变动，请顾客更换支付方式。", "This payment channel is stopped for now; no money was moved. Ask for another way to pay."),
    ("channel_unknown", "never", "本系统没有这个支付渠道。", "There is no such payment channel here."),
    ("channel_refund_refused", "never", "银行拒绝了这笔退款，资金已退回商户账户，请用其他方式退款。", "The bank refused the refund; the money is back on the merchant's account, refund another way."),
    # Coupons
    ("coupon_not_found", "never", "找不到这张优惠券。", "This coupon was not found."),
    ("coupon_invalid", "never", "优惠券已使用、已失效或未到可用时间，请换一张或不用优惠券付款。", "The coupon is used, over or not valid yet; choose another or pay without one."),
    ("coupon_not_applicable", "never", "这笔付款不满足优惠券的使用条件（商户、币种或最低消费），请换一张或不用优惠券付款。", "The coupon is not for this payment (merchant, currency or minimum spend); choose another or pay without one."),
    ("coupon_state", "never", "优惠券已使用或已失效，当前状态不允许此操作。", "The coupon is used or over; its state does not allow this."),
    # Red packets
    ("share_not_asked", "never", "该订单未标记分账，不能分账。", "This payment was not marked for profit sharing when it was made."),
    ("share_released", "never", "该订单的待分账资金已解冻。", "The part of this payment that was frozen for sharing has been released."),
    ("share_too_early", "after", "订单支付成功一分钟后才能分账。", "A payment is shared a minute after it was paid, at the earliest."),
    ("share_rounds_exceeded", "never", "分账次数已达上限。", "This has been shared or given back too many times."),
    ("share_above_part", "never", "分账金额超过最大分账比例。", "The shares are more than the part of the payment that may be shared."),
    ("share_short", "never", "剩余待分金额不足。", "Less than this amount is still frozen for sharing."),
    ("share_receiver_unknown", "never", "分账接收方未添加或已删除。", "This receiver was not added, or was removed."),
    ("share_not_found", "never", "找不到这笔分账。", "This share was not found."),
    ("share_return_exceeds", "never", "回退金额超过已分金额。", "More would come back than this receiver got."),
    ("share_return_late", "never", "分账已超过一百八十天，不能回退。", "Shares come back within 180 days."),
    ("stock_not_found", "never", "找不到这个代金券批次。", "This stock of coupons was not found."),
    ("stock_state", "never", "批次状态不允许此操作。", "The stock's state does not allow this."),
    ("stock_not_running", "never", "批次未激活、已暂停或不在有效期内。", "The stock gives no coupons now: not started, paused, or not its time."),
    ("stock_exhausted", "never", "批次预算不足，代金券已发完。", "Every coupon that the stock pays for was given out."),
    ("stock_payer_limit", "never", "用户领券数已达上限。", "This payer has had as many coupons of the stock as one may have."),
    ("red_packet_not_found", "never", "找不到这个红包。", "This red packet was not found."),
    ("red_packet_taken", "never", "手慢了，红包已被领完。", "Every share of this red packet has been taken."),
    ("red_packet_expired", "never", "红包已超过二十四小时，未领的钱已退回发送人。", "This red packet is over; what was left goes back to its sender."),
    ("red_packet_own", "never", "不能领取自己发出的单个红包。", "A payer cannot take the only share of a red packet of their own."),
    # Merchants' transfers
    ("merchant_transfer_not_found", "never", "找不到这笔商家转账。", "This transfer from a merchant was not found."),
    ("merchant_transfer_over", "never", "商家转账已结束：已收款、已撤销或超过二十四小时未收。", "This transfer is over: taken, given up, or not taken within a day."),
    # Refunds
    ("refund_not_found", "never", "找不到这笔退款。", "This refund was not found."),
    ("refund_exceeds", "never", "退款金额超过可退金额。", "The refund is more than what is left to refund."),
    ("refund_count_exceeded", "never", "一笔付款最多可退款五十次。", "A payment can be refunded fifty times at most."),
    ("refund_too_late", "never", "超过退款期限，不能退款。", "The payment is too old to be refunded."),
    ("merchant_balance_short", "after", "商户余额不足，暂不能退款。", "The merchant's balance does not cover the refund now."),
    ("callback_unknown", "never", "找不到这条回调。", "This callback was not found."),
    ("settlement_cycle_unsupported", "never", "结算周期为 D+0 至 D+10（自然日）或 T+0 至 T+10（工作日），请选择其一。", "Settlement is on D+0 to D+10 (calendar days) or T+0 to T+10 (business days); choose one of them."),
    ("fee_rate_out_of_range", "never", "费率不在允许范围内，请调整费率。", "The rate is outside the allowed range; choose another."),
    # Mandates
    ("contract_expired", "never", "签约邀请已过期，请在商户处重新发起签约。", "The proposal's time is over; ask the merchant for a new one."),
    ("mandate_not_found", "never", "找不到扣款协议。", "The mandate was not found."),
    ("mandate_inactive", "never", "扣款协议已停用。", "The mandate is not active."),
    ("mandate_limit_payment", "never", "超过协议的单笔限额。", "The amount is above the mandate's limit for one payment."),
    ("mandate_limit_day", "never", "超过协议的单日限额。", "The amount is above what is left of the mandate's limit for the day."),
    ("mandate_limit_month", "never", "超过协议的单月限额。", "The amount is above what is left of the mandate's limit for the month."),
    ("payer_limit_payment", "never", "超过付款账户的单笔限额，请换一种方式支付。", "The amount is above the payer account's limit for one payment; pay another way."),
    ("payer_limit_day", "never", "超过付款账户的单日限额，请换一种方式支付。", "The amount is above what is left of the payer account's limit for the day; pay another way."),
    ("payer_limit_year", "never", "超过付款账户的单年限额，请换一种方式支付。", "The amount is above what is left of the payer account's limit for the year; pay another way."),
    ("payment_final", "never", "数字人民币支付即时到账，不可争议，请退款。", "An e-CNY payment is final and cannot be disputed; refund it instead."),
    ("mandate_device", "never", "该设备不在扣款协议内。", "The mandate is for another device."),
    ("consent_invalid", "never", "付款确认无效，请重新确认。", "The confirmation is not valid; confirm again."),
    ("passkey_unknown", "never", "这个指纹或面容不属于此钱包，请输入密码。", "This wallet has no such passkey; use the PIN."),
    ("passkey_challenge", "never", "这次验证已使用或已过期，请重新验证。", "This check was used already or is too old; touch again."),
    ("passkey_content", "never", "验证后内容已变化，没有执行，请核对后重新验证。", "What was confirmed has changed since, so nothing was done; look at it and touch again."),
    ("passkey_origin", "never", "验证来自其他网站，已拒绝。", "The fingerprint was given on another site, so it is refused."),
    ("passkey_unverified", "never", "设备没有核实指纹、面容或锁屏密码，请重试。", "The device did not verify a finger, a face or its lock; try again."),
    ("passkey_counter", "never", "这个指纹凭据可能被复制，请移除后重新添加。", "This passkey may have been copied; remove it and add it anew."),
    ("passkey_invalid", "never", "指纹或面容验证无效，请重试。", "The passkey's answer is not valid; try again."),
    ("passkey_address", "never", "当前网址不能使用指纹或面容，请输入密码。", "This address cannot take a fingerprint; use the PIN."),
    ("passkey_limit", "never", "指纹或面容凭据已达上限，请先移除一个。", "No more passkeys can be added; remove one first."),
    ("mandate_signature", "never", "扣款协议签名无效，请重新签署。", "The mandate's signature is not valid; sign it again."),
    ("mandate_term_unknown", "never", "扣款协议含有本系统不认识的条款，请升级软件后再签署。", "The mandate has a term that this system does not know; update the software before signing."),
    ("mandate_limits", "never", "单笔上限不能高于每日上限，每日上限不能高于每月上限。", "The limit of one payment cannot be above the day's, nor the day's above the month's."),
    ("mandate_device_unknown", "never", "该商户没有这台设备，请核对商户编号和设备编号。", "This merchant has no such device; check both ids."),
    ("mandate_days", "never", "协议天数须为 1 至 365 的整数。", "A mandate signed here holds for 1 to 365 days, in whole days."),
    ("mandate_validity", "never", "协议须在将来结束，从生效起最长三年（1098 天）。", "A mandate ends in the future, three years (1,098 days) after it begins at the latest."),
    ("mandate_other_side", "never", "协议由另一方暂停，只能由对方恢复。", "The other side suspended this mandate; only that side can resume it."),
    ("mandate_notice_required", "never", "该协议要求扣款前通知付款人，请先发出扣费通知。", "The payer must be told before this debit; announce it first."),
    ("mandate_notice_too_early", "never", "扣费通知的等待时间未到，请稍后再扣款。", "The notice period is not over yet; debit later."),
    ("mandate_notice_unasked", "never", "该协议对此金额无需扣款前通知，可直接扣款。", "This mandate asks for no notice before this amount; debit without one."),
    ("notice_not_found", "never", "找不到这条扣费通知。", "This notice of a debit was not found."),
    ("notice_state", "never", "扣费通知已使用、已拒绝或已撤回。", "This notice of a debit was used, refused or withdrawn."),
    ("notices_open", "never", "未完成的扣费通知过多，请先扣款或撤回。", "Too many notices are open; debit or withdraw them first."),
    # Offline payments
    ("offline_token_invalid", "never", "离线付款凭证无效，请顾客重新出示，或在联网后付款。", "The offline token is not valid; ask the payer to show it again, or pay when the line is back."),
    ("offline_wish_scanned", "never", "这是离线付款的码，请用开通了离线付款的手机钱包扫描；本页只能联网付款。", "This is a code for paying offline: scan it with the phone that keeps your offline voucher. This page pays with a line only."),
    ("offline_token_other", "never", "这个离线付款凭证不是付给这笔订单的，请顾客重新扫描本机的码。", "This offline token is for another payment; ask the payer to scan this till's code again."),
    ("offline_token_expired", "never", "离线付款凭证不在有效期内，请顾客联网更新后再付款。", "The offline voucher is not valid now; the payer's phone must fetch a new one."),
    ("offline_token_used", "never", "这个离线付款凭证在本机用过了，请顾客重新出示。", "This offline token was used here already; ask the payer for a new one."),
    ("offline_unavailable", "never", "当前不能离线收款：门店没有开通，或限额信息已过期，请收现金或等网络恢复。", "No offline payments now: the store does not allow them, or its limits are too old; take cash, or wait for the line."),
    ("offline_not_needed", "never", "网络正常，请使用联网付款方式。", "The line is there; pay in the usual way."),
    ("offline_not_this_way", "never", "网络中断，这种付款方式不能离线受理，请顾客出示离线付款凭证或付现金。", "The line is down and this way to pay cannot be taken offline; ask for an offline token, or cash."),
    ("offline_limit_payment", "never", "超过离线付款的单笔限额，请收现金或等网络恢复。", "The amount is above the limit of one offline payment; take cash, or wait for the line."),
    ("offline_limit_device", "never", "本机未上传的离线付款已到限额，请收现金或等网络恢复。", "This till holds as much offline money as it may; take cash, or wait for the line."),
    ("offline_limit_store", "never", "门店未上传的离线付款已到限额，请收现金或等网络恢复。", "The store holds as much offline money as it may; take cash, or wait for the line."),
    ("offline_late", "never", "离线付款超过期限才上传，不予入账，损失由商户承担。", "The offline payment came back too late and is not paid; the merchant bears it."),
    ("offline_overspent", "never", "付款人重复使用了离线凭证，已超出平台担保，损失由商户承担。", "The payer spent the offline voucher twice, beyond our guarantee; the merchant bears it."),
    ("offline_voucher_open", "never", "已有一张离线付款凭证，到期结清后才能再领。", "There is an offline voucher already; the next one follows when it is settled."),
    ("offline_voucher_refused", "never", "账户曾重复使用离线凭证，不能再领取。", "This account has spent an offline voucher twice and gets no more."),
    ("offline_voucher_not_found", "never", "找不到这张离线付款凭证。", "This offline voucher was not found."),
    # Disputes
    ("dispute_elsewhere", "never", "该付款来自其他钱包，争议请在该钱包处理。", "Another wallet paid; a dispute about it is opened there."),
    ("dispute_not_paid", "never", "付款人没有出这笔钱，不能提出争议。", "The payer has not paid this; there is nothing to dispute."),
    ("dispute_not_found", "never", "找不到这笔争议。", "This dispute was not found."),
    ("dispute_state", "never", "争议已裁定，或当前状态不允许此操作。", "The dispute is decided, or its state does not allow this."),
    ("dispute_exceeds", "never", "争议金额超过该付款尚未退回的部分。", "The disputed amount is more than what is left of the payment."),
    ("settlement_date_closed", "never", "渠道该清算日已结清，请填写渠道实际扣回的清算日。", "The channel's day is settled or closed; name the later one in whose file the channel keeps the money back."),
    ("payment_disputed", "never", "该付款有争议，争议金额不能退款或撤销，以裁定为准。", "A part of this payment is or was disputed; that part can be neither refunded nor undone."),
    # The risk engine: devices and cases
    ("reading_not_found", "never", "找不到设备的这次读数。", "This reading of a device was not found."),
    ("case_not_found", "never", "找不到这个案件，请核对编号，或从案件列表打开。", "There is no such case; check its number, or open it from the list of cases."),
    ("case_state", "never", "案件已裁定，或当前状态不允许此操作，请先看案件现状。", "The case is decided, or its state does not allow this; look at how it stands now."),
    ("case_same_person", "never", "须由另一人复核，提出结论者不能自行确认。", "A second person must agree; whoever proposed the outcome cannot confirm it."),
    ("case_not_assignee", "never", "只有案件的经办人可以提出结论，请先分派案件。", "Only whoever the case is assigned to proposes its outcome; assign it first."),
    # Reports of suspicious transactions
    ("report_not_found", "never", "找不到这份可疑交易报告。", "This report was not found."),
    ("report_state", "never", "报告已办结，或当前状态不允许此操作。", "The report has ended, or its state does not allow this."),
    ("report_same_person", "never", "须由另一人复核，分析人不能自行确认或排除。", "A second person decides; whoever analysed the report neither confirms nor dismisses it."),
    # Enrolment
    ("store_unknown", "never", "门店不存在，请先建立门店。", "The store does not exist; create it first."),
    ("identity_exists", "never", "该目录里已有一台设备的身份；请换一个目录，或用 tillway enroll rotate 更新它的密钥。", "A machine's identity is in this directory already; name another, or renew its keys by tillway enroll rotate."),
    ("device_exists", "never", "该设备名已被使用，请换一个名称。", "This device name is taken; choose another."),
    ("device_state", "never", "设备当前状态不允许此操作。", "The device's state does not allow this."),
    ("key_taken", "never", "该密钥已登记，请生成新密钥。", "This key is registered already; make a new one."),
    ("host_unknown", "never", "这个页面只能在本机上用本机地址打开：127.0.0.1 或 localhost。", "This page is opened on its own machine only, by that machine's own address: 127.0.0.1 or localhost."),
    ("route_unknown", "never", "没有这个接口，请检查地址与方法。", "There is nothing at this address; check the path and the method."),
    ("enrol_code_invalid", "never", "注册码有误、已使用或已过期，请核对，仍不行则重新获取。", "The enrolment code is mistyped, used or expired; check it, else ask for a new one."),
    ("enrol_code_elsewhere", "never", "注册码输入有误，或该地址不是发码的后端，请核对两者后重试。", "The enrolment code is mistyped, or the server at this address is not the one that gave it; check both and try again."),
    ("key_unsealable", "never", "密钥无法解开，请检查口令文件。", "The key cannot be unsealed; check the passphrase file."),
    ("not_authorized", "never", "没有权限执行此操作。", "You are not allowed to do this."),
    # People of the console
    ("sign_in_wrong", "never", "用户名、密码或动态码不正确；多次错误后须等十五分钟。", "The name, the password or the code is wrong; after several wrong tries wait fifteen minutes."),
    ("date_invalid", "never", "日期请写成 2026-11-28 的样子。", "Write a date as 2026-11-28: year, month, day."),
    ("password_weak", "never", "密码至少十二个字符，且不能全部相同。", "A password has at least twelve characters, not all alike."),
    ("last_owner", "never", "至少要保留一位能登录的负责人，请先指定另一位。", "One owner who can sign in must stay; make another one first."),
    ("rank_insufficient", "never", "您的角色不能执行此操作，请联系负责人。", "Your role does not allow this; ask an owner."),
    ("signatory_unknown", "never", "双人复核须由控制台的运营人员本人确认，请用其登录名和手机动态码。", "Both persons must be operators of the console: give the name that signs in, and the code from that person's phone."),
    ("setup_wrong", "never", "设置码无效、已使用或已过期，请向负责人索取新的。", "The setup code is wrong, used or over; ask for a new one."),
    ("password_wrong", "never", "当前密码不正确。", "The present password is wrong."),
    ("code_wrong", "never", "动态码不正确，请核对手机时间后重试。", "The code is wrong; check your phone's clock and try again."),
    ("session_unknown", "never", "这个登录会话已结束。", "This session is over already."),
    ("user_exists", "never", "该用户名已被使用，请换一个。", "This name is taken; choose another."),
    ("user_unknown", "never", "没有这个用户。", "There is no such user."),
    # Clearing
    ("payout_rejected", "after", "银行拒绝出款，资金已退回商户账户。", "The bank rejected the payout; the money is back on the merchant's account."),
    ("frame_rejected", "never", "报文格式有误，已整条拒收。", "The message is malformed and is refused whole."),
    ("mac_invalid", "never", "报文校验码有误，已拒收，请重新签到。", "The message's check code is wrong; it is refused. Sign on again."),
    ("file_rejected", "never", "文件校验不通过，整份拒收。", "The file failed its checks and is refused whole."),
    ("break_state", "never", "该差错当前状态不允许此操作。", "The break's state does not allow this."),
    ("break_unknown", "never", "没有这笔差错，请检查编号。", "There is no such break; check its id."),
    ("day_run_stopped", "after", "清算在某一步中断，原因见详情。排除后重跑该日，已完成的不会重复。", "The run stopped at a step, and the detail says why; run the day again then, nothing is done twice."),
    ("clearing_absent", "never", "本后端没有配置备付金银行，不能充值、清算和出款；请在后端配置中写明 [institutions.reserve_bank] 后重新启动。", "This backend has no reserve bank, so nobody tops up and nothing is cleared or paid out: name one as [institutions.reserve_bank] in its configuration and start it again."),
    ("day_not_closed", "after", "该日尚未日切，请在日切后再清算。", "That day is not closed yet; run clearing after the cut-off."),
    ("bill_not_ready", "after", "该日账单尚未生成，请在该日日终关闭后再下载。", "That day is not closed yet, so it has no bill; ask again when it is closed."),
    ("bill_empty", "never", "该日没有交易或资金变动，没有账单。", "Nothing happened on that day, so it has no bill."),
    ("console_code_wrong", "never", "动态码不正确或已用过，请等下一个；多次错误后须等十五分钟。", "The code is wrong or was used before: wait for the next one; after several wrong tries wait fifteen minutes."),
    ("certificate_unknown", "never", "没有这张商户证书，请检查序列号。", "There is no such certificate of this merchant number; check its serial."),
    ("certificate_count", "never", "商户号须有一至三张在用证书，请先添加或停用一张。", "A merchant number has one to three certificates in use; add or retire another one first."),
    ("calendar_horizon", "never", "该年度的放假安排尚未载入，无法确定结算日，请载入该年度的节假日表。", "The days off of that year are not known, so no settlement date can be told; load its calendar table."),
    ("window_state", "never", "清算场次当前状态不允许此操作。", "The clearing window's state does not allow this."),
    ("destination_not_allowed", "never", "收款账户未备案或已撤销，不能出款，请由运营人员备案后重试。", "The account is not filed as a destination, or was withdrawn; nothing is paid to it until an operator files it."),
    # Ledger
    ("account_unknown", "never", "账户不存在。", "The account does not exist."),
    ("account_short", "never", "账户余额不足，不能记账。", "The account's balance does not cover this posting."),
    ("transfer_conflict", "never", "同一记账编号的内容不一致。", "The same transfer id was used with other content."),
    ("transfer_state", "never", "记账状态不允许此操作。", "The transfer's state does not allow this."),
    ("transfer_unknown", "never", "找不到这笔记账。", "This transfer was not found."),
    ("checkpoint_unknown", "never", "没有涵盖它的检查点，请先生成检查点。", "No checkpoint covers this transfer yet; make a checkpoint first."),
    ("proof_invalid", "never", "证明不成立。", "The proof is not valid."),
    ("timestamp_invalid", "never", "时间戳不成立。", "The time stamp is not valid."),
    ("log_inconsistent", "never", "账本日志与检查点不一致，未签名；请运行 tillway ledger verify。", "The ledger's log contradicts its checkpoint and nothing was signed; run tillway ledger verify."),
    # Called by hand
    ("command_unknown", "never", "没有这个命令；请核对拼写，或加 --help 查看有哪些命令。", "There is no such command; check its spelling, or add --help to see those there are."),
    ("option_unknown", "never", "没有这个选项；请核对拼写，或加 --help 查看有哪些选项。", "There is no such option; check its spelling, or add --help to see those there are."),
    ("argument_missing", "never", "缺少必填的选项或参数；请补上，或加 --help 查看用法。", "An option or argument that the command needs is missing; give it, or add --help to see what it takes."),
    ("argument_invalid", "never", "选项或参数写得不对；请按提示修改，或加 --help 查看用法。", "An option or argument has a wrong value; correct it as shown, or add --help to see what the command takes."),
    ("file_unusable", "after", "文件或目录无法读写；请检查路径与权限。", "A file or directory cannot be read or written; check its path and permissions."),
    ("package_missing", "after", "缺少所需的程序包；请按提示安装。", "A package that the command needs is missing; install it as shown."),
    # Set-up
    ("port_taken", "after", "端口已被占用，请更换端口或关闭占用它的程序。", "The port is taken; choose another or stop the program that holds it."),
    ("config_invalid", "never", "配置有误，请按提示修改。", "The configuration is wrong; correct it as shown."),
    ("database_in_use", "after", "数据库正被使用，请先停止后台程序。", "The database is in use; stop the backend first."),
    ("database_not_empty", "never", "新数据库中已有数据，请换一个空的数据库。", "The new database holds data already; name an empty one."),
    ("database_sharded", "never", "这是分布在多个数据库上的账本，不能这样迁移；请用 PostgreSQL 自身的复制功能逐个迁移其数据库，见 docs/scale.md。", "This is a ledger over several databases, which cannot be moved so; move each of its databases by PostgreSQL's own replication, see docs/scale.md."),
    ("port_unusable", "after", "端口打不开；请检查设备是否接好、端口名或地址是否正确、有没有使用权限。", "The port cannot be opened; check that the device is there, its name or address, and your rights to it."),
    ("trace_invalid", "never", "记录文件有误，请按提示的行修改。", "The trace is wrong; correct the line that is named."),
    ("file_unwritable", "after", "文件无法写入，请检查路径与权限。", "The file cannot be written; check the path and its permissions."),
    ("driver_unstartable", "never", "驱动程序无法启动，请检查命令。", "The driver cannot be started; check the command."),
    ("training_impossible", "never", "历史数据不足以训练模型。", "The history is not enough to train a model."),
    ("list_entry_not_found", "never", "名单中没有此项。", "This entry is on no list."),
    ("model_refused", "never", "模型文件未通过检查，已拒绝。", "The model's file failed its checks and is refused."),
    ("model_not_found", "never", "找不到这个模型。", "This model was not found."),
    ("model_state", "never", "模型当前状态不允许此操作。", "The model's state does not allow this."),
    ("model_same_person", "never", "须由另一人复核，提出者不能自行确认。", "A second person must agree; whoever proposed the model cannot confirm it."),
    ("rule_invalid", "never", "规则有误，请按提示的位置修改。", "The rule is wrong; correct it at the place that is named."),
    ("rules_too_large", "never", "规则集过大，请减少规则或缩短条件。", "The set of rules is too large; have fewer rules or shorter conditions."),
    ("rules_not_found", "never", "找不到这套规则。", "This set of rules was not found."),
    ("rules_state", "never", "规则集当前状态不允许此操作。", "The state of the set of rules does not allow this."),
    ("rules_same_person", "never", "须由另一人复核，提出者不能自行确认。", "A second person must agree; whoever proposed the rules cannot confirm them."),
    ("table_invalid", "never", "数据文件有误，请按提示的行与列修改。", "The table file is wrong; correct the row and column that are named."),
)  # fmt: skip

CATALOGUE: dict[str, Advice] = {row[0]: Advice(*row) for row in (*_ROWS, *COUNTER_ROWS)}
