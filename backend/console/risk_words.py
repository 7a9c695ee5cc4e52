"""Words of the page of rules and models, in Chinese and English."""

from faces.words import Words

RISK_NAMES: dict[str, Words] = {
    "rules.draft": Words("草稿", "Draft"),
    "rules.shadow": Words("影子运行", "Shadow"),
    "rules.canary_proposed": Words("灰度待确认", "Canary proposed"),
    "rules.canary": Words("灰度", "Canary"),
    "rules.live_proposed": Words("上线待确认", "Live proposed"),
    "rules.live": Words("生效中", "Live"),
    "rules.retired": Words("已下线", "Retired"),
    "RulesDrafted": Words("提交草稿", "Drafted"),
    "RulesShadowed": Words("开始影子运行", "Put in shadow"),
    "RulesCanaryProposed": Words("提议灰度", "Canary proposed"),
    "RulesCanaryStarted": Words("确认灰度", "Canary confirmed"),
    "RulesLiveProposed": Words("提议上线", "Live proposed"),
    "RulesWentLive": Words("确认上线", "Live confirmed"),
    "RulesRejected": Words("驳回", "Rejected"),
    "RulesRetired": Words("下线", "Retired"),
    "model.registered": Words("已登记", "Registered"),
    "model.challenger": Words("挑战模型", "Challenger"),
    "model.proposed": Words("替换待确认", "Champion proposed"),
    "model.champion": Words("主模型", "Champion"),
    "model.retired": Words("已下线", "Retired"),
    "ModelRegistered": Words("登记", "Registered"),
    "ModelChallenged": Words("设为挑战模型", "Made challenger"),
    "ModelProposed": Words("提议为主模型", "Champion proposed"),
    "ModelPromoted": Words("确认为主模型", "Champion confirmed"),
    "ModelRejected": Words("驳回", "Rejected"),
    "ModelRetired": Words("下线", "Retired"),
    "scores.payment": Words("用于付款", "of payments"),
    "scores.account": Words("用于账户", "of accounts"),
    "decision_tree": Words("决策树", "Decision tree"),
    "random_forest": Words("随机森林", "Random forest"),
    "average_precision": Words("平均精度", "Average precision"),
    "auc": Words("AUC", "AUC"),
    "brier": Words("Brier 分数", "Brier score"),
}
"""How a set of rules or a model stands, what was done with it, and what a model's card says."""

RISK_WORDS: dict[str, Words] = {
    "risk_title": Words("规则与模型", "Rules & models"),
    "risk_hint": Words(
        "这里只能查看。更改须两人，用命令 tillway risk rules 和 tillway risk models。",
        "Only to look at. Two persons change them: tillway risk rules, tillway risk models.",
    ),
    "risk_rules": Words("规则", "Rules"),
    "risk_models": Words("模型", "Models"),
    "risk_live": Words("生效规则", "Live rules"),
    "risk_candidate": Words("候选规则", "Candidate"),
    "risk_shipped": Words(
        "随系统提供的规则；由配置指定的作出决定，其余只记录。",
        "The rules that ship: those that the settings name decide, the rest are noted.",
    ),
    "risk_no_candidate": Words("没有候选规则。", "There is no candidate."),
    "risk_decides": Words("决定的付款", "Decides"),
    "risk_of_payments": Words("的付款", "of the payments"),
    "risk_decides_none": Words("不作决定，只记录", "nothing; what it would say is noted"),
    "risk_count": Words("规则数", "Rules"),
    "risk_since": Words("起始时间", "Since"),
    "risk_by": Words("操作人", "By"),
    "risk_champion": Words("主模型", "Champion"),
    "risk_challenger": Words("挑战模型", "Challenger"),
    "risk_no_champion": Words(
        "没有主模型：仅由规则判断。", "There is no champion: the rules judge alone."
    ),
    "risk_no_challenger": Words("没有挑战模型。", "There is no challenger."),
    "risk_champion_part": Words(
        "为每笔付款评分，供规则读取", "scores every payment, for the rules"
    ),
    "risk_challenger_part": Words(
        "为每笔付款评分，不影响决定", "scores every payment; nothing is decided by it"
    ),
    "risk_trained": Words("训练于", "Trained"),
    "risk_rows": Words("训练样本", "Rows"),
    "risk_frauds": Words("其中欺诈", "of them frauds"),
    "risk_backtest": Words("留出样本上的回测", "On rows it was not trained on"),
    "risk_no_backtest": Words("样本不足，没有回测", "too few to say"),
    "risk_drift_hint": Words(
        "漂移与重放：tillway risk drift、tillway risk replay。",
        "Drift and replay: tillway risk drift, tillway risk replay.",
    ),
    "risk_suppressed": Words("暂停的规则", "Suppressed rules"),
    "risk_until": Words("至", "Until"),
    "risk_steps": Words("经过", "Steps"),
    "risk_other_sets": Words("其他规则版本", "Other sets"),
    "risk_other_models": Words("其他模型", "Other models"),
    "risk_id": Words("编号", "Id"),
    "risk_reason": Words("原因", "Reason"),
}
