import pytest

from codec.bodies.message_queue import MessageQueue
from rmq.broker.allocation import STRATEGIES


def shares(strategy, queue_count, members):
    queues = [
        MessageQueue(topic="T", broker_name="B", queue_id=number) for number in range(queue_count)
    ]
    return [
        [queue.queue_id for queue in STRATEGIES[strategy](queues, index, members)]
        for index in range(members)
    ]


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        (8, [[0, 1, 2], [3, 4, 5], [6, 7]]),
        (7, [[0, 1, 2], [3, 4], [5, 6]]),
        (6, [[0, 1], [2, 3], [4, 5]]),
        (2, [[0], [1], []]),
    ],
)
def test_neighbours_stay_together(queues, expected):
    assert shares("AVG", queues, 3) == expected


def test_circles_take_turns():
    assert shares("AVG_BY_CIRCLE", 7, 3) == [[0, 3, 6], [1, 4], [2, 5]]
    assert shares("AVG_BY_CIRCLE", 2, 3) == [[0], [1], []]
