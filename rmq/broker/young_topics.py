"""Topics that a slave has records of and knows nothing about: its master does.

A master makes a topic before it puts the topic's first message. So whoever asks for its table when
such a record came finds the topic in it, or the topic is gone again (or has no place in a table).

A topic is *wanted* from its first record on, until a table came that was asked for afterwards.
If it is not in that table either, it is *absent*, and not wanted again before all is forgotten.
``known``: topics whose records tell nothing new, all of them absent or in our table; whoever sees
records need not note those.
"""

from collections.abc import Set as AbstractSet

from codec.message.properties import REAL_TOPIC, find
from rmq.broker import names
from rmq.broker.topics import Topics

WAITING_TOPICS = frozenset({names.SCHEDULE_TOPIC, names.HALF_TOPIC, names.TIMER_TOPIC})
"""Their messages wait to become messages of another topic, which their properties name."""

NOTED_MAX = 1_000
"""Topics noted as wanted, and as absent; others wait for their next record: a bound for memory."""


class YoungTopics:
    """What a slave has to ask its master about; does nothing of itself."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._known: set[str] = set()
        self._wanted: set[str] = set()
        self._asked: set[str] = set()
        self._absent: set[str] = set()

    @property
    def known(self) -> AbstractSet[str]:
        """Topics that need not be noted; the same object always, its content changes."""
        return self._known

    @property
    def wanted(self) -> AbstractSet[str]:
        """Topics that the table lacks."""
        return self._wanted

    def note(self, topic: str, properties: bytes) -> bool:
        """Note a record; whether something is wanted that was not."""
        if topic in WAITING_TOPICS:
            real = find(properties, REAL_TOPIC)
            if real is None:
                return False
            topic = real.decode(errors="replace")
        if topic in self._known or topic in self._wanted:
            return False
        if topic in self._topics:
            self._known.add(topic)
            return False
        if self._topics.is_system(topic) or len(self._wanted) >= NOTED_MAX:
            return False
        self._wanted.add(topic)
        return True

    def asked(self) -> None:
        """The master is being asked for its table."""
        self._asked = set(self._wanted)

    def copied(self) -> None:
        """Our table is what the master answered; an answer that never comes need not be told."""
        asked, self._asked = self._asked, set()
        self._wanted -= asked
        room = NOTED_MAX - len(self._absent)
        self._absent.update(sorted(topic for topic in asked if topic not in self._topics)[:room])
        self._known.clear()
        self._known |= self._absent

    def forget(self) -> None:
        """Have absent topics be wanted again, if more of their records come."""
        self._absent.clear()
        self._known.clear()

    def give_up(self) -> list[str]:
        """Want nothing any more; what was wanted."""
        given_up = sorted(self._wanted)
        self._wanted.clear()
        self._asked.clear()
        self.forget()
        return given_up
