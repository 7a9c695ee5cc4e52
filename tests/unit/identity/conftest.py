"""An enrolment service on a register in memory."""

import pytest

from backend.identity.memory import MemoryRegistry
from backend.identity.service import EnrolmentService
from tests.support.enrolment import BACKEND_KEY, CA, CountingEntropy


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def service(registry: MemoryRegistry) -> EnrolmentService:
    return EnrolmentService(
        registry, registry, CA, (BACKEND_KEY.public,), CountingEntropy(), BACKEND_KEY
    )
