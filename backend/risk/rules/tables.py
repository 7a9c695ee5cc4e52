"""The sets of rules, who brought them to use, and which rules are suppressed."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class RiskRuleSet(BackendTable, table=True):
    """A set as it stands now; how it got there is in its events."""

    __tablename__ = "risk_rule_set"
    set_id: str = Field(primary_key=True, sa_type=TEXT)
    """``CompiledRules.version``: the hash of its rules."""
    state: str = Field(sa_type=TEXT)
    rule_count: int = Field(sa_type=INTEGER)
    share_bps: int = Field(default=0, sa_type=INTEGER)
    """Of the payments, which it decides as canary; as proposed while it is in shadow."""
    proposed_by: str = Field(default="", sa_type=TEXT)
    drafted_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class RiskRuleText(BackendTable, table=True):
    """A set's file. Written once, never changed, never deleted."""

    __tablename__ = "risk_rule_text"
    set_id: str = Field(primary_key=True, sa_type=TEXT)
    content: str = Field(sa_type=TEXT)


class RiskRuleRole(BackendTable, table=True):
    """The set in a role; empty when there is none."""

    __tablename__ = "risk_rule_role"
    role: str = Field(primary_key=True, sa_type=TEXT)
    set_id: str = Field(sa_type=TEXT)


class RiskRuleEvent(BackendTable, table=True):
    """One step of a set, and who took it. Written once, never changed."""

    __tablename__ = "risk_rule_event"
    set_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    share_bps: int = Field(sa_type=INTEGER)
    actor: str = Field(sa_type=TEXT)
    words: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class RiskRuleSuppression(BackendTable, table=True):
    """A word about a rule that hits too much: until when its hits are to decide nothing. Written
    once; ``RiskRuleHeld`` says which holds."""

    __tablename__ = "risk_rule_suppression"
    rule_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    until_ms: int = Field(sa_type=INTEGER)
    """0: it decides again."""
    actor: str = Field(sa_type=TEXT)
    words: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class RiskRuleHeld(BackendTable, table=True):
    """Until when a rule is suppressed, and what is proposed; what was said is in
    ``risk_rule_suppression``."""

    __tablename__ = "risk_rule_held"
    rule_id: str = Field(primary_key=True, sa_type=TEXT)
    until_ms: int = Field(sa_type=INTEGER)
    word_count: int = Field(sa_type=INTEGER)
    holding_number: int = Field(default=0, sa_type=INTEGER)
    """Of the word by which it is suppressed, or decides again."""
    proposed_until_ms: int = Field(default=0, sa_type=INTEGER)
    """What waits for a second person; 0: nothing."""
    proposed_by: str = Field(default="", sa_type=TEXT)


RULE_SET = table_ref(RiskRuleSet)
RULE_TEXT = table_ref(RiskRuleText, lock=False)
RULE_ROLE = table_ref(RiskRuleRole)
RULE_EVENT = table_ref(RiskRuleEvent, lock=False)
RULE_SUPPRESSION = table_ref(RiskRuleSuppression, lock=False)
RULE_HELD = table_ref(RiskRuleHeld)
