"""What a broker says of itself: its state as texts, its statistics, its replication."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from codec.bodies import encode_body
from codec.bodies.admin import HAClientRuntimeInfo, HAConnectionRuntimeInfo, HARuntimeInfo
from codec.bodies.kv import KVTable
from codec.codes import CURRENT_VERSION, RequestCode, ResponseCode
from codec.headers.broker_admin import ViewBrokerStatsDataRequestHeader
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.broker.rates import StoreRates
from rmq.broker.stats import BrokerStats
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles
from rmq.replication.mode import MasterState, SlaveState
from rmq.store.store import MessageStore

VERSION_TEXT = "V5_3_3"
NO_POOL = 2**31 - 1
"""What Java says of its pool of write buffers where it has none."""

UNIT_BYTES = 1024


@dataclass(frozen=True, slots=True)
class StorePlaces:
    """Where the store lies, and how full its disk is.

    ``used_share(path)``: 0 to 1; ``capacity(path)``: bytes in all and free, None if unknown.
    """

    root: str
    commit_log: str
    used_share: Callable[[str], float]
    capacity: Callable[[str], tuple[int, int] | None]


class Sides(Protocol):
    """The other ends of replication."""

    @property
    def slaves(self) -> Sequence[SlaveState]:
        """Those that are connected."""

    @property
    def master(self) -> MasterState | None:
        """Whom we follow; None for a master."""


class RuntimeProcessor:
    """Source: AdminBrokerProcessor.java, prepareRuntimeInfo(), ViewBrokerStatsData(), 5.3.3."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        store: MessageStore,
        places: StorePlaces,
        stats: BrokerStats,
        rates: StoreRates,
        sides: Sides,
        more: Iterable[Callable[[], Mapping[str, str]]] = (),
    ) -> None:
        """``more``: other services' own texts, which win over those made here.

        ``config`` may be replaced while running: assign the attribute.
        """
        self.config = config
        self._clock = clock
        self._store = store
        self._places = places
        self._stats = stats
        self._rates = rates
        self._more = tuple(more)
        self._sides = sides

    @handles(RequestCode.GET_BROKER_RUNTIME_INFO)
    def runtime_info(self, _request: Request[RequestHeader]) -> Response:
        """Give what can be said of the broker as texts.

        What Java measures and this broker does not (how long puts and gets took) is left out. What
        this broker does not have (queues before thread pools, a page cache lock, a dispatch that
        lags) is 0.
        """
        table = self._of_store() | self._of_disks() | self._of_broker() | self._of_queues()
        for more in self._more:
            table |= more()
        return Response(body=encode_body(KVTable(table=table)))

    @handles(RequestCode.VIEW_BROKER_STATS_DATA, ViewBrokerStatsDataRequestHeader)
    def stats_data(self, request: Request[ViewBrokerStatsDataRequestHeader]) -> Response:
        """Give one counter over the last minute, hour and day.

        :raises CommandError: SYSTEM_ERROR, nothing was ever counted in it.
        """
        name, key = request.header.stats_name, request.header.stats_key
        item = self._stats.item(name, key)
        if item is None:
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"The stats <{name}> <{key}> not exist")
        return Response(body=encode_body(item.windows()))

    @handles(RequestCode.GET_BROKER_HA_STATUS)
    def ha_status(self, _request: Request[RequestHeader]) -> Response:
        """Say how far a master's log is, and each slave's; or how a slave hears of its master.

        Source: DefaultHAService.java, getRuntimeInfo(), 5.3.3.
        """
        master = self._sides.master
        if master is not None:
            client = HAClientRuntimeInfo(
                master_addr=master.address,
                max_offset=self._store.written_position,
                master_flush_offset=self._store.master_flushed_position,
                last_read_timestamp=master.heard_ms,
                last_write_timestamp=master.said_ms,
                transferred_byte_in_second=master.rate,
            )
            return Response(body=encode_body(HARuntimeInfo(ha_client_runtime_info=client)))
        slaves = self._sides.slaves
        info = HARuntimeInfo(
            master=True,
            master_commit_log_max_offset=self._store.written_position,
            in_sync_slave_nums=sum(slave.in_sync for slave in slaves),
            ha_connection_info=[
                HAConnectionRuntimeInfo(
                    addr=slave.address,
                    slave_ack_offset=slave.acked,
                    diff=slave.behind,
                    in_sync=slave.in_sync,
                    transferred_byte_in_second=slave.rate,
                    transfer_from_where=slave.position,
                )
                for slave in slaves
            ],
        )
        return Response(body=encode_body(info))

    def _of_store(self) -> dict[str, str]:
        store, counts = self._store, self._store.stats
        puts = max(1, counts.put_times)
        rates = self._rates.rates()
        return {
            "bootTimestamp": str(counts.start_ms),
            "runtime": running_time(self._clock.wall_ms() - counts.start_ms),
            "putMessageTimesTotal": str(puts),
            "putMessageFailedTimes": str(counts.put_failed_times),
            "putMessageSizeTotal": str(counts.put_bytes),
            "putMessageAverageSize": str(counts.put_bytes / puts),
            "dispatchMaxBuffer": "0",
            "putTps": rates.put,
            "getFoundTps": rates.get_found,
            "getMissTps": rates.get_missed,
            "getTotalTps": rates.get,
            "getTransferredTps": rates.transferred,
            "commitLogMinOffset": str(store.min_position),
            "commitLogMaxOffset": str(store.written_position),
            "dispatchBehindBytes": "0",
            "pageCacheLockTimeMills": "0",
            "earliestMessageTimeStamp": str(store.earliest_time()),
            "remainTransientStoreBufferNumbs": str(NO_POOL),
            "remainHowManyDataToFlush": byte_count(
                max(0, store.written_position - store.flushed_position)
            ),
        }

    def _of_disks(self) -> dict[str, str]:
        places = self._places
        log_share = str(places.used_share(places.commit_log))
        texts = {
            f"commitLogDiskRatio_{places.commit_log}": log_share,
            "commitLogDiskRatio": log_share,
            "consumeQueueDiskRatio": str(places.used_share(places.root)),
        }
        capacity = places.capacity(places.root)
        if capacity is not None:
            total, free = map(byte_count, capacity)
            texts["commitLogDirCapacity"] = f"Total : {total}, Free : {free}."
        return texts

    def _of_broker(self) -> dict[str, str]:
        stats = self._stats
        return {
            "brokerActive": "true",
            "brokerVersionDesc": VERSION_TEXT,
            "brokerVersion": str(CURRENT_VERSION),
            "msgPutTotalYesterdayMorning": str(stats.put_mornings.yesterday),
            "msgPutTotalTodayMorning": str(stats.put_mornings.today),
            "msgPutTotalTodayNow": str(stats.put_total),
            "msgGetTotalYesterdayMorning": str(stats.get_mornings.yesterday),
            "msgGetTotalTodayMorning": str(stats.get_mornings.today),
            "msgGetTotalTodayNow": str(stats.get_total),
            "startAcceptSendRequestTimeStamp": str(self.config.startAcceptSendRequestTimeStamp),
            "timerReadBehind": "0",
            "timerOffsetBehind": "0",
            "timerCongestNum": "0",
            "timerEnqueueTps": "0.0",
            "timerDequeueTps": "0.0",
        }

    def _of_queues(self) -> dict[str, str]:
        """Requests that wait for a thread: none ever does here."""
        config = self.config
        capacities = {
            "sendThreadPoolQueue": config.sendThreadPoolQueueCapacity,
            "pullThreadPoolQueue": config.pullThreadPoolQueueCapacity,
            "litePullThreadPoolQueue": config.litePullThreadPoolQueueCapacity,
            "queryThreadPoolQueue": config.queryThreadPoolQueueCapacity,
            "ackThreadPoolQueue": config.ackThreadPoolQueueCapacity,
        }
        texts = {
            "EndTransactionQueueSize": "0",
            "EndTransactionThreadPoolQueueCapacity": str(config.endTransactionPoolQueueCapacity),
        }
        for name, capacity in capacities.items():
            texts[f"{name}Size"] = "0"
            texts[f"{name}Capacity"] = str(capacity)
            texts[f"{name}HeadWaitTimeMills"] = "0"
        return texts


def running_time(ms: int) -> str:
    """A duration for people. Source: StoreStatsService.java, getFormatRuntime(), 5.3.3."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"


def byte_count(count: int) -> str:
    """Bytes for people. Source: MixAll.java, humanReadableByteCount(), 5.3.3."""
    if count < UNIT_BYTES:
        return f"{count} B"
    power = (count.bit_length() - 1) // 10
    return f"{count / UNIT_BYTES**power:.1f} {'KMGTPE'[power - 1]}iB"
