"""The broker's consumer groups: a table in memory, kept in ``config/subscriptionGroup.json``.

As with topics, a config in the table is never changed in place.
Source: SubscriptionGroupManager.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from codec.bodies import decode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.groups import SubscriptionGroupConfig, SubscriptionGroupWrapper
from codec.codes import ResponseCode
from codec.fastjson import dumps_pretty
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.broker import names
from rmq.broker.attributes import GROUP_ATTRIBUTES, altered
from rmq.broker.saving import TableFile
from rmq.conf.broker import BrokerConfig

logger = logging.getLogger(__name__)

FORBIDDEN_BIT_MAX = 30
"""Greatest index of a bit that forbids: they are bits of a Java int that stays positive."""

DEFAULT_GROUPS = (
    names.TOOLS_GROUP,
    names.FILTER_SERVER_GROUP,
    names.SELF_TEST_GROUP,
    names.HTTP_PROXY_GROUP,
    names.PULL_GROUP,
    names.PERMISSION_GROUP,
    names.OWNER_GROUP,
    names.TRANSACTION_GROUP,
)
"""Groups of every broker from its first start; all may consume by broadcast, as any may."""


class Groups:
    """All consumer groups of this broker by name."""

    def __init__(self, config: BrokerConfig, clock: Clock, file: TableFile) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._clock = clock
        self._file = file
        self._unsaved = False
        self._forbidden: dict[str, dict[str, int]] = {}
        self.state_version = 0
        """Of each version from now on: the master's epoch under Controllers, else 0."""
        self._data_version = DataVersion(timestamp=clock.wall_ms())
        self._table = {name: SubscriptionGroupConfig(group_name=name) for name in DEFAULT_GROUPS}
        self.get = self._table.get

    get: Callable[[str], SubscriptionGroupConfig | None]
    """A group by name, None if there is none; as cheap as a dict's own look-up."""

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, group: str) -> bool:
        return group in self._table

    @property
    def table(self) -> Mapping[str, SubscriptionGroupConfig]:
        """All groups; not to be changed by the reader."""
        return self._table

    @property
    def data_version(self) -> DataVersion:
        """The version of the table as it is now."""
        return self._data_version

    def find(self, group: str) -> SubscriptionGroupConfig | None:
        """The group, created if absent and allowed; None if not, or if it cannot be called so.

        Source: SubscriptionGroupManager.java, findSubscriptionGroupConfig(), 5.3.3.
        """
        existing = self._table.get(group)
        if existing is not None:
            return existing
        if not self.config.autoCreateSubscriptionGroup and not (
            self.config.enableCreateSysGroup and group.startswith(names.SYSTEM_GROUP_PREFIX)
        ):
            return None
        if names.group_fault(group) is not None:
            return None
        created = SubscriptionGroupConfig(group_name=group)
        self._table[group] = created
        logger.info("event=group_created group=%s", group)
        self._bump()
        self.persist()
        return created

    def update(self, config: SubscriptionGroupConfig) -> SubscriptionGroupConfig:
        """Create or replace a group; ``attributes`` say what to alter (``+key``, ``-key``).

        Source: SubscriptionGroupManager.java, updateSubscriptionGroupConfig(), 5.3.3.

        :raises CommandError: INVALID_PARAMETER, a name cannot be used; SYSTEM_ERROR, an attribute
            cannot be altered so; nothing is changed.
        """
        return self.update_all([config])[0]

    def update_all(
        self, configs: Sequence[SubscriptionGroupConfig]
    ) -> list[SubscriptionGroupConfig]:
        """Create or replace groups, all or none; saved once.

        :raises CommandError: INVALID_PARAMETER, a name cannot be used; SYSTEM_ERROR, an attribute
            cannot be altered so; nothing is changed.
        """
        updated: dict[str, SubscriptionGroupConfig] = {}
        for config in configs:
            name = config.group_name or ""
            fault = names.group_fault(name)
            if fault is not None:
                raise CommandError(ResponseCode.INVALID_PARAMETER, fault)
            existing = self._table.get(name)
            current = None if existing is None else existing.attributes
            attributes = altered(GROUP_ATTRIBUTES, current, config.attributes)
            updated[name] = replace(config, attributes=attributes)
        for name, config in updated.items():
            self._table[name] = config
            self._bump()
            logger.info("event=group_updated config=%s", config)
        self.persist()
        return list(updated.values())

    def delete(self, group: str) -> bool:
        """Forget a group and what it was forbidden; False if it was unknown.

        Its offsets stay: who wants them gone calls ``ConsumerOffsets.remove_group``.
        Source: SubscriptionGroupManager.java, deleteSubscriptionGroupConfig(), 5.3.3.
        """
        forbidden = self._forbidden.pop(group, None)
        known = self._table.pop(group, None) is not None
        if known or forbidden:
            logger.info("event=group_deleted group=%s", group)
            self._bump()
            self.persist()
        return known

    def forbidden(self, group: str, topic: str) -> int:
        """The bits of what a group may not do with a topic; 0: it may do all."""
        return max(0, self._forbidden.get(group, {}).get(topic, 0))

    def is_forbidden(self, group: str, topic: str, bit: int) -> bool:
        """Whether one thing (2: read) is forbidden. Hot: one look-up while nothing is."""
        if group not in self._forbidden:
            return False
        return bool(self.forbidden(group, topic) >> bit & 1)

    def set_forbidden(self, group: str, topic: str, bit: int, *, on: bool) -> None:
        """Forbid something, or allow it again.

        Java's clearing of the last bit of one topic clears the group's other topics too, and does
        not save that; here only what was asked is cleared.
        Source: SubscriptionGroupManager.java, updateForbidden(), 5.3.3.

        :raises CommandError: INVALID_PARAMETER, no such bit.
        """
        if not 0 <= bit <= FORBIDDEN_BIT_MAX:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER, f"bit {bit} is not in 0..{FORBIDDEN_BIT_MAX}"
            )
        before = self.forbidden(group, topic)
        after = before | 1 << bit if on else before & ~(1 << bit)
        if after == before:
            return
        if after:
            self._forbidden.setdefault(group, {})[topic] = after
        else:
            del self._forbidden[group][topic]
            if not self._forbidden[group]:
                del self._forbidden[group]
        logger.info("event=forbidden_set group=%s topic=%s bits=%d", group, topic, after)
        self._bump()
        self.persist()

    def wrapper(self) -> SubscriptionGroupWrapper:
        """The whole table with its version, as on disk and as GET_ALL_SUBSCRIPTIONGROUP_CONFIG."""
        return SubscriptionGroupWrapper(
            subscription_group_table=dict(self._table),
            forbidden_table={group: dict(topics) for group, topics in self._forbidden.items()},
            data_version=self._data_version,
        )

    def adopt(self, theirs: SubscriptionGroupWrapper) -> bool:
        """Become a copy of the master's table, version included; whether anything changed.

        Java does not copy what is forbidden.
        Source: SlaveSynchronize.java, syncSubscriptionGroupConfig(), 5.3.3.
        """
        if theirs.data_version == self._data_version:
            return False
        self._table.clear()  # not another dict: ``get`` is this one's
        self._table.update(theirs.subscription_group_table)
        self._forbidden = dict(theirs.forbidden_table or {})
        self._data_version = theirs.data_version
        self._unsaved = True
        self.persist()
        return True

    def load(self) -> None:
        """Take over what is on disk; its groups win over those made at creation.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(SubscriptionGroupWrapper, text))
        if loaded is not None:
            self._table.update(loaded.subscription_group_table)
            self._forbidden.update(loaded.forbidden_table or {})
            self._data_version = loaded.data_version
            logger.info("event=groups_loaded count=%d", len(loaded.subscription_group_table))

    def persist(self) -> None:
        """Save what changed, if anything; what the disk refuses is tried again by the next call."""
        if self._unsaved:
            self._unsaved = not self._file.save(dumps_pretty(self.wrapper()))

    def _bump(self) -> None:
        self._unsaved = True
        self._data_version = self._data_version.next(self._clock.wall_ms(), self.state_version)
