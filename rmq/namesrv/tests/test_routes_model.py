"""The tables against a model that is slow and plain: lists of facts, searched through each time."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from codec.bodies.data_version import DataVersion
from codec.bodies.route import encode_legacy_route, encode_route
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.lookups import find_route
from rmq.namesrv.route_cache import Flavour, RouteCache
from rmq.namesrv.routes import Departure, Registration, RouteTables
from rmq.namesrv.tests.scene import MemoryChannel

CLUSTERS = ("c", "d")
NAMES = ("a", "b")
ADDRESSES = ("1:1", "2:1", "3:1")
TOPICS = ("t1", "t2", "t3")


@dataclass
class Model:
    """Facts as tuples; every question is a walk over all of them."""

    addresses: dict[tuple[str, int], str] = field(default_factory=dict)
    cluster_of: dict[str, str] = field(default_factory=dict)
    in_cluster: set[tuple[str, str]] = field(default_factory=set)
    acting: dict[str, bool] = field(default_factory=dict)
    perms: dict[tuple[str, str], int] = field(default_factory=dict)
    versions: dict[BrokerKey, DataVersion] = field(default_factory=dict)

    def ids(self, name: str) -> list[int]:
        return [broker_id for known, broker_id in self.addresses if known == name]

    def register(self, entry: Registration, delete: bool) -> None:
        name, address, broker_id = entry.name, entry.key.address, entry.broker_id
        moved = {
            (known, i): at
            for (known, i), at in self.addresses.items()
            if not (known == name and at == address and i != broker_id)
        }
        holder = moved.get((name, broker_id))
        version = entry.topics.data_version
        theirs = self.versions.get(BrokerKey(entry.key.cluster, holder or ""))
        conflict = (
            holder not in {None, address}
            and theirs is not None
            and theirs.state_version > version.state_version
        )
        table = entry.topics.topic_config_table
        if not conflict and holder is None and len(table) == 1:
            return
        first = not self.ids(name) or holder is None
        self.addresses = moved
        self.cluster_of.setdefault(name, entry.key.cluster)
        self.in_cluster.add((entry.key.cluster, name))
        self.acting[name] = bool(entry.acting_master)
        if conflict:
            self.versions.pop(entry.key, None)
            return
        self.addresses[name, broker_id] = address
        prime = entry.acting_master is not None and broker_id == min(self.ids(name))
        if broker_id == 0 or prime:
            if delete:
                for topic, of in list(self.perms):
                    if of == name and topic not in table:
                        del self.perms[topic, of]
            changed = first or self.versions.get(entry.key) != version
            for topic, config in table.items():
                if changed or (topic, name) not in self.perms:
                    wipe = broker_id != 0 and bool(entry.acting_master)
                    self.perms[topic, name] = config.perm & ~2 if wipe else config.perm
        self.versions[entry.key] = version

    def unregister(self, departures: list[Departure]) -> None:
        reduced = set()
        for departure in departures:
            self.versions.pop(departure.key, None)
            name = departure.name
            if not self.ids(name):
                continue
            for (known, i), at in list(self.addresses.items()):
                if known == name and at == departure.key.address:
                    del self.addresses[known, i]
            if self.ids(name):
                reduced.add(name)
            else:
                self.forget_name(name)
        for topic, name in self.perms:
            if name in reduced and self.acting.get(name) and min(self.ids(name)) > 0:
                self.perms[topic, name] &= ~2

    def forget_name(self, name: str) -> None:
        del self.cluster_of[name], self.acting[name]
        self.in_cluster = {(c, n) for c, n in self.in_cluster if n != name}
        self.perms = {(t, n): perm for (t, n), perm in self.perms.items() if n != name}


registrations = st.builds(
    Registration,
    key=st.builds(BrokerKey, st.sampled_from(CLUSTERS), st.sampled_from(ADDRESSES)),
    name=st.sampled_from(NAMES),
    broker_id=st.integers(0, 2),
    ha_address=st.just("ha"),
    zone=st.none(),
    timeout_ms=st.integers(1, 20),
    acting_master=st.sampled_from([None, False, True]),
    topics=st.builds(
        lambda names, perm, counter, state: TopicConfigAndMappingSerializeWrapper(
            data_version=DataVersion(counter=counter, state_version=state),
            topic_config_table={
                name: TopicConfig(topic_name=name, perm=perm) for name in sorted(names)
            },
        ),
        st.sets(st.sampled_from(TOPICS)),
        st.sampled_from([2, 4, 6]),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    filter_servers=st.none() | st.lists(st.just("f:1"), max_size=1),
    channel=st.builds(MemoryChannel),
)
departures = st.builds(
    Departure,
    st.builds(BrokerKey, st.sampled_from(CLUSTERS), st.sampled_from(ADDRESSES)),
    st.sampled_from(NAMES),
    st.integers(0, 2),
)
steps = st.lists(
    st.tuples(st.just("register"), registrations, st.booleans())
    | st.tuples(st.just("unregister"), st.lists(departures, max_size=3), st.none())
    | st.tuples(st.just("expire"), st.integers(0, 30), st.none())
    | st.tuples(st.sampled_from(["wipe", "add"]), st.sampled_from(NAMES), st.none())
    | st.tuples(st.just("delete"), st.sampled_from(TOPICS), st.none() | st.sampled_from(CLUSTERS)),
    max_size=25,
)


def check(tables: RouteTables, model: Model, cache: RouteCache) -> None:
    assert {
        (name, i): at
        for name, broker in tables.brokers.items()
        for i, at in broker.broker_addrs.items()
    } == model.addresses
    assert {n: broker.cluster for n, broker in tables.brokers.items()} == model.cluster_of
    assert {(c, name) for c, names in tables.clusters.items() for name in names} == (
        model.in_cluster
    )
    assert {
        (topic, name): queues.perm
        for topic, of_topic in tables.topic_queues.items()
        for name, queues in of_topic.items()
    } == model.perms
    assert {(t, name) for name in NAMES for t in tables.topics_of(name)} == set(model.perms)
    assert set(tables.live) == set(model.versions)
    assert all(tables.topic_queues.values())
    assert all(tables.clusters.values())
    for topic in TOPICS:
        check_cached(tables, cache, topic)


def check_cached(tables: RouteTables, cache: RouteCache, topic: str) -> None:
    """What is cached is what would be told now; then cache it."""
    route = find_route(tables, topic, acting_masters=True)
    for standard, encode in ((True, encode_route), (False, encode_legacy_route)):
        cached = cache.get(topic, standard, "")
        if route is None:
            assert cached is None
            continue
        assert cached in {None, encode(route)}
        cache.put(topic, Flavour(standard, ""), encode(route))


@given(steps)
@settings(max_examples=200)
def test_tables_and_cache_agree_with_the_model(
    todo: list[tuple[str, object, object]],
) -> None:
    cache = RouteCache()
    tables = RouteTables(cache)
    model = Model()
    now_ms = 0
    for what, which, more in todo:
        match what, which:
            case "register", Registration() as entry:
                tables.register(entry, now_ms, delete_absent_topics=bool(more))
                model.register(entry, bool(more))
            case "unregister", list() as leaving:
                tables.unregister(leaving)
                model.unregister(leaving)
            case "expire", int() as pause_ms:
                now_ms += pause_ms
                gone = [key for key, _ in tables.live.silent(now_ms)]
                leaving = [each for key in gone for each in tables.departures_of(key)]
                tables.unregister(leaving)
                model.unregister(leaving)
                for key in gone:
                    tables.live.remove(key)
                    model.versions.pop(key, None)
            case (("wipe" | "add"), str() as name):
                change = tables.wipe_write_perm if what == "wipe" else tables.add_write_perm
                change(name)
                for (topic, of), perm in model.perms.items():
                    if of == name:
                        model.perms[topic, of] = perm & ~2 if what == "wipe" else 6
            case "delete", str() as topic:
                tables.delete_topic(topic, None if more is None else str(more))
                for known, name in list(model.perms):
                    if known == topic and (more is None or (more, name) in model.in_cluster):
                        del model.perms[known, name]
        check(tables, model, cache)
