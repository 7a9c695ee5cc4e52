"""What the terminal tells Prometheus, read from the agent when it is asked."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from terminal.agent import Agent


class AgentCollector(Collector):
    """Reads the agent; counts nothing of its own."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        link = GaugeMetricFamily("tillway_terminal_link_up", "Whether the hub can be reached.")
        link.add_metric([], int(self._agent.is_link_up))
        yield link
        open_sales = self._agent.unknown_sales()
        count = GaugeMetricFamily("tillway_terminal_sales_open", "Sales without an outcome.")
        count.add_metric([], len(open_sales))
        yield count
        items = GaugeMetricFamily(
            "tillway_terminal_items_unsettled", "Goods that the owner must look after."
        )
        items.add_metric([], len(self._agent.unsettled_items()))
        yield items
        refused = CounterMetricFamily(
            "tillway_terminal_answers_refused", "Answers that did not hold.", labels=["code"]
        )
        for code, number in self._agent.refused_answers.items():
            refused.add_metric([code], number)
        yield refused
        settled = CounterMetricFamily(
            "tillway_terminal_sales_settled", "Sales settled since start.", labels=["state"]
        )
        for state, number in self._agent.settled.items():
            settled.add_metric([state], number)
        yield settled
