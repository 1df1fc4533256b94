import pytest

from codec.bodies.data_version import DataVersion
from codec.bodies.groups import SubscriptionGroupConfig
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.broker.groups import Groups
from rmq.broker.tests.tables import FOLDER, FullDisk, config, table_file

PATH = f"{FOLDER}/subscriptionGroup.json"

JAVA_SAMPLE = """{
	"dataVersion":{
		"counter":3,
		"stateVersion":0,
		"timestamp":1700000000000
	},
	"forbiddenTable":{},
	"subscriptionGroupTable":{
		"G1":{
			"attributes":{},
			"brokerId":0,
			"consumeBroadcastEnable":true,
			"consumeEnable":true,
			"consumeFromMinEnable":true,
			"consumeMessageOrderly":false,
			"consumeTimeoutMinute":15,
			"groupName":"G1",
			"groupRetryPolicy":{
				"type":"CUSTOMIZED"
			},
			"groupSysFlag":0,
			"notifyConsumerIdsChangedEnable":true,
			"retryMaxTimes":16,
			"retryQueueNums":1,
			"whichBrokerWhenConsumeSlowly":1
		}
	}
}"""
"""Written by Java 5.3.3."""


class World:
    def __init__(self, **changed):
        self.clock = ManualClock()
        self.disk = FullDisk(self.clock)
        self.groups = self.again(**changed)

    def again(self, **changed):
        return Groups(
            config(**changed), self.clock, table_file(self.disk, "subscriptionGroup.json")
        )


@pytest.fixture
def world():
    return World()


def test_default_groups_are_there_from_the_start(world):
    assert list(world.groups.table) == [
        "TOOLS_CONSUMER",
        "FILTERSRV_CONSUMER",
        "SELF_TEST_C_GROUP",
        "CID_ONS-HTTP-PROXY",
        "CID_ONSAPI_PULL",
        "CID_ONSAPI_PERMISSION",
        "CID_ONSAPI_OWNER",
        "CID_RMQ_SYS_TRANS",
    ]
    assert len(world.groups) == 8
    assert all(group.consume_broadcast_enable for group in world.groups.table.values())


def test_unknown_group_is_created_by_looking_for_it(world):
    assert world.groups.get("g") is None

    found = world.groups.find("g")

    assert found == SubscriptionGroupConfig(group_name="g")
    assert world.groups.find("g") is found
    assert world.groups.data_version.counter == 1
    assert b'"g"' in world.disk.read(PATH)


@pytest.mark.parametrize("name", ["a b", "g" * 256, ""])
def test_group_that_cannot_be_called_so_is_not_created(world, name):
    assert world.groups.find(name) is None
    assert name not in world.groups


def test_without_automatic_creation_only_system_groups_are_created():
    groups = World(autoCreateSubscriptionGroup=False).groups

    assert groups.find("g") is None
    assert groups.find("CID_RMQ_SYS_x") is not None


def test_not_even_system_groups_are_created_if_switched_off():
    groups = World(autoCreateSubscriptionGroup=False, enableCreateSysGroup=False).groups

    assert groups.find("CID_RMQ_SYS_x") is None


def test_update_creates_and_replaces(world):
    world.groups.update(SubscriptionGroupConfig(group_name="g"))
    world.groups.update(SubscriptionGroupConfig(group_name="g", retry_max_times=3))

    assert world.groups.get("g").retry_max_times == 3
    assert world.groups.data_version.counter == 2


@pytest.mark.parametrize(
    "bad",
    [
        SubscriptionGroupConfig(),
        SubscriptionGroupConfig(group_name="a b"),
        SubscriptionGroupConfig(group_name="h", attributes={"+odd": "x"}),
    ],
)
def test_update_of_many_is_all_or_nothing(world, bad):
    with pytest.raises(CommandError):
        world.groups.update_all([SubscriptionGroupConfig(group_name="g"), bad])

    assert "g" not in world.groups


def test_deleted_group_is_gone_with_what_it_was_forbidden(world):
    world.groups.find("g")
    world.groups.set_forbidden("g", "t", 2, on=True)

    assert world.groups.delete("g")
    assert not world.groups.delete("g")

    assert world.groups.get("g") is None
    assert world.groups.forbidden("g", "t") == 0


def test_forbidden_bits_are_set_and_cleared_one_by_one(world):
    groups = world.groups
    groups.set_forbidden("g", "t", 2, on=True)
    groups.set_forbidden("g", "t", 0, on=True)
    groups.set_forbidden("g", "u", 2, on=True)

    assert groups.forbidden("g", "t") == 5
    assert groups.is_forbidden("g", "t", 2)
    assert not groups.is_forbidden("g", "t", 1)
    assert not groups.is_forbidden("g", "v", 2)
    assert not groups.is_forbidden("h", "t", 2)

    groups.set_forbidden("g", "t", 0, on=False)
    groups.set_forbidden("g", "t", 2, on=False)
    assert groups.forbidden("g", "t") == 0
    assert groups.is_forbidden("g", "u", 2)

    groups.set_forbidden("g", "u", 2, on=False)
    assert groups.wrapper().forbidden_table == {}


def test_forbidding_what_is_forbidden_is_no_change(world):
    world.groups.set_forbidden("g", "t", 2, on=True)
    version = world.groups.data_version

    world.groups.set_forbidden("g", "t", 2, on=True)

    assert world.groups.data_version == version


@pytest.mark.parametrize("bit", [-1, 31])
def test_bit_that_java_has_not_is_refused(world, bit):
    with pytest.raises(CommandError, match="is not in 0"):
        world.groups.set_forbidden("g", "t", bit, on=True)


def test_table_survives_a_restart(world):
    world.groups.find("g")
    world.groups.set_forbidden("g", "t", 2, on=True)
    again = world.again()

    again.load()

    assert again.wrapper() == world.groups.wrapper()


def test_file_of_java_is_read_and_written_alike(world):
    world.disk.replace(PATH, JAVA_SAMPLE.encode())
    groups = world.again()
    groups.load()
    for name in list(world.groups.table):
        groups.delete(name)

    written = world.disk.read(PATH).decode()

    assert written == JAVA_SAMPLE.replace('"counter":3', '"counter":11')


def test_nothing_on_disk_leaves_the_defaults(world):
    world.groups.load()

    assert len(world.groups) == 8


def test_nothing_changed_is_nothing_to_save(world):
    world.groups.persist()

    assert world.disk.read(PATH) is None


def test_full_disk_is_tried_again(world):
    world.disk.full = True
    world.groups.find("g")
    world.disk.full = False

    world.groups.persist()

    assert b'"g"' in world.disk.read(PATH)


def test_under_controllers_each_version_has_the_master_s_epoch(world):
    world.groups.state_version = 7

    world.groups.find("g")

    assert world.groups.data_version.state_version == 7


def test_what_is_adopted_is_found_by_who_held_the_look_up_before(world):
    get = world.groups.get
    theirs = world.groups.wrapper()
    theirs.subscription_group_table = {"G": SubscriptionGroupConfig(group_name="G")}
    theirs.data_version = DataVersion(counter=9)

    assert world.groups.adopt(theirs)

    assert get("G") == SubscriptionGroupConfig(group_name="G")
    assert list(world.groups.table) == ["G"]
