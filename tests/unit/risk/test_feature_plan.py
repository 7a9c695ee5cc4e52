"""What is kept of an entity, by its features."""

from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.plan import entity_plans


def test_a_column_is_kept_once_whatever_number_of_windows_count_its_keys() -> None:
    for plan in entity_plans(PAYMENT):
        assert len(set(plan.distinct_columns)) == len(plan.distinct_columns)
        for asked in plan.distincts:
            column = plan.distinct_columns[asked.slot]
            assert PAYMENT.columns[column].name == asked.feature.of
