"""The words of confirming and signing by a finger or a face."""

from faces.words import Words

SIGNING: dict[str, Words] = {
    "pin_change": Words("更改支付密码", "Change the PIN"),
    "pin_present": Words("当前支付密码", "Present PIN"),
    "pin_new": Words("新支付密码", "New PIN"),
    "pin_again": Words("再输入一次新支付密码", "The new PIN again"),
    "pin_changed": Words("支付密码已更改。", "The PIN is changed."),
    "pin_change_hint": Words(
        "六位数字；不能与原密码相同，也不能是六个相同或连续的数字。",
        "Six digits: not the old PIN, not one digit six times, no run up or down.",
    ),
    "sign": Words("用指纹或面容签署", "Sign with fingerprint"),
    "sign_means": Words(
        "签署后，商家可按上述条款扣款，不再逐笔确认；您随时可以停止。",
        "Once signed, the merchant may debit within these terms without asking each time. You can"
        " stop it at any time.",
    ),
    "sign_before": Words("请在此前签署", "Sign before"),
    "sign_number": Words("编号", "Number"),
    "notice_above": Words("超过此额提前通知", "Notice above"),
    "agree": Words("允许设备自动扣款", "Let a thing pay by itself"),
    "agree_lead": Words("哪台设备，最多多少", "Which thing, and how much at most"),
    "agree_merchant": Words("商户号", "Merchant number"),
    "agree_payment": Words("单笔上限（元）", "A payment up to, yuan"),
    "agree_day": Words("每日上限（元）", "A day up to, yuan"),
    "agree_ask": Words("超过需确认（可不填）", "Ask above (optional)"),
    "agree_days": Words("有效天数（最多 %s）", "Days, at most %s"),
    "agree_may": Words("可以自行从您的余额扣款", "may debit your balance by itself"),
    "passkeys": Words("指纹与面容", "Fingerprint and face"),
    "passkeys_lead": Words(
        "用本机的指纹、面容或锁屏密码代替支付密码，每次只确认页面所示的内容。"
        "单笔超过 %s 元仍需密码。",
        "This device's finger, face or lock stands for the PIN, for exactly what a page shows."
        " Above %s yuan the PIN is asked.",
    ),
    "passkeys_none": Words("还没有添加", "None was added yet"),
    "passkey_add": Words("添加指纹或面容", "Add fingerprint or face"),
    "passkey_name": Words("名称", "Name"),
    "passkey_name_usual": Words("我的设备", "My device"),
    "passkey_added": Words("添加于", "Added"),
    "passkey_used": Words("上次使用", "last used"),
    "passkey_change": Words("更改", "Change"),
    "passkey_rename": Words("改名", "Rename"),
    "passkey_remove": Words("移除", "Remove"),
    "passkey_use": Words("用指纹或面容确认", "Use fingerprint or face"),
    "passkey_failed": Words(
        "没有完成指纹或面容验证，什么也没有执行；可重试，或输入密码。",
        "No finger or face was verified, and nothing was done. Try again, or use the PIN.",
    ),
    "passkey_none_yet": Words(
        "添加指纹或面容，下次不必输密码", "Add a fingerprint, and need no PIN next time"
    ),
    "passkey_elsewhere": Words(
        "当前网址不能使用指纹或面容，请输密码，或改用：",
        "This address cannot take a fingerprint. The PIN works; a fingerprint does at",
    ),
    "passkey_off": Words(
        "这里没有配置可用指纹或面容的网址，请使用支付密码。",
        "No address is set up here that takes a fingerprint. The PIN works everywhere.",
    ),
    "passkey_most": Words("最多 %s 个，请先移除一个。", "There may be %s; remove one first."),
    "passkey_script": Words(
        "添加指纹需要浏览器允许脚本。", "Adding one takes a browser that runs scripts."
    ),
    "passkey_unable": Words(
        "本设备或浏览器不支持指纹、面容验证，请使用支付密码。",
        "This device or browser verifies no finger or face. The PIN works.",
    ),
}
