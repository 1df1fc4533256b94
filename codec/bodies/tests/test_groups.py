from typing import Any

import pytest

from codec.bodies.groups import (
    CustomizedRetryPolicy,
    ExponentialRetryPolicy,
    GroupRetryPolicy,
    GroupRetryPolicyType,
)


@pytest.mark.parametrize(
    ("attempts", "delay_ms"),
    [(-1, 10_000), (0, 10_000), (1, 30_000), (15, 7_200_000), (99, 7_200_000)],
)
def test_customized_delays_begin_with_the_third(attempts: Any, delay_ms: Any) -> None:
    assert CustomizedRetryPolicy().delay_ms(attempts) == delay_ms


@pytest.mark.parametrize(
    ("attempts", "delay_ms"), [(-1, 5_000), (0, 5_000), (3, 40_000), (33, 7_200_000)]
)
def test_exponential_delays_grow_to_their_limit(attempts: Any, delay_ms: Any) -> None:
    assert ExponentialRetryPolicy().delay_ms(attempts) == delay_ms


def test_a_group_uses_the_policy_of_its_type_or_the_default() -> None:
    exponential = ExponentialRetryPolicy(initial=1)
    customized = CustomizedRetryPolicy(next=(7,))
    both: dict[str, Any] = {
        "exponential_retry_policy": exponential,
        "customized_retry_policy": customized,
    }

    assert GroupRetryPolicy(type=GroupRetryPolicyType.EXPONENTIAL, **both).delay_ms(1) == 2
    assert GroupRetryPolicy(type=GroupRetryPolicyType.CUSTOMIZED, **both).delay_ms(1) == 7
    assert GroupRetryPolicy(type=GroupRetryPolicyType.EXPONENTIAL).delay_ms(0) == 10_000
    assert GroupRetryPolicy().delay_ms(0) == 10_000
    assert GroupRetryPolicy(type=None, **both).delay_ms(0) == 10_000
