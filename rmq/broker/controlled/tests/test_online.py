import pytest

from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.identity import IdentityFiles
from rmq.broker.controlled.online import ID_TRIES_MAX, RETRY_MS, OnLine
from rmq.broker.controlled.requests import Names, Verdict
from rmq.net.memory_disk import MemoryDisk

PATH = "/store/brokerIdentity"
LED = Verdict(master_id=1, master_address="h:1", epoch=1)
NOBODY = Verdict()


def refused(code: ResponseCode):
    return ControllerRefusedError(RequestCode.CONTROLLER_REGISTER_BROKER, code, "no")


class Scene:
    """A broker that comes on line; answers are prepared, and the last of them stays."""

    def __init__(self):
        self.clock = ManualClock()
        self.disk = MemoryDisk(self.clock)
        files = IdentityFiles(self.disk, PATH, cluster_name="c", broker_name="b")
        self.seen = []
        self.ids = [1]
        self.applied = [None]
        self.registered_as = [LED]
        self.elected = [LED]
        self.online = OnLine(self.clock, self, files, Names("c", "b", "h:1"), self)

    async def next_id(self):
        """The id that may be applied for."""
        self.seen.append("next")
        return given(self.ids)

    async def apply_id(self, identity):
        """Have it given to us."""
        assert identity.check_code == f"h:1;{self.clock.wall_ms()}"
        self.seen.append(f"apply {identity.broker_id}")
        given(self.applied)

    async def register(self, broker_id):
        """Tell our address."""
        self.seen.append(f"register {broker_id}")
        return given(self.registered_as)

    async def elect(self, broker_id):
        """Have a master."""
        self.seen.append(f"elect {broker_id}")
        return given(self.elected)

    def registered(self, broker_id):
        """Controllers know us."""
        self.seen.append(f"known {broker_id}")

    def decided(self, verdict):
        """There is a master."""
        self.seen.append(f"decided {verdict.epoch}")


def given(answers):
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, Exception):
        raise answer
    return answer


def test_a_new_broker_gets_an_id_registers_and_learns_the_master():
    scene = Scene()

    scene.online.start()
    scene.clock.advance(60_000)

    assert scene.seen == ["next", "apply 1", "register 1", "known 1", "decided 1"]
    assert scene.disk.read(PATH) == b"c#b#1"


def test_without_a_living_master_one_is_elected_after_controllers_know_that_we_live():
    scene = Scene()
    scene.registered_as = [NOBODY]

    scene.online.start()

    assert scene.seen[2:] == ["register 1", "known 1", "elect 1", "decided 1"]


def test_a_known_broker_goes_on_with_its_id():
    scene = Scene()
    scene.disk.replace(PATH, b"c#b#7")

    scene.online.start()

    assert scene.seen == ["register 7", "known 7", "decided 1"]


def test_a_broker_that_died_while_it_applied_applies_again_with_the_same_code():
    scene = Scene()
    code = f"h:1;{scene.clock.wall_ms()}"
    scene.disk.replace(f"{PATH}-temp", f"c#b#4#{code}".encode())

    scene.online.start()

    assert scene.seen[0] == "apply 4"
    assert scene.disk.read(PATH) == b"c#b#4"


def test_a_taken_id_is_given_up_for_the_next():
    scene = Scene()
    scene.ids = [1, 2]
    scene.applied = [refused(ResponseCode.CONTROLLER_BROKER_ID_INVALID), None]

    scene.online.start()

    assert scene.seen[:5] == ["next", "apply 1", "next", "apply 2", "register 2"]


def test_others_may_be_quicker_only_so_often_until_there_is_a_pause():
    scene = Scene()
    scene.applied = [refused(ResponseCode.CONTROLLER_BROKER_ID_INVALID)] * ID_TRIES_MAX + [None]

    scene.online.start()
    assert scene.seen == ["next", "apply 1"] * ID_TRIES_MAX
    scene.clock.advance(RETRY_MS)

    assert scene.seen[-1] == "decided 1"


@pytest.mark.parametrize("place", ["ids", "applied", "registered_as"])
def test_whatever_fails_is_tried_again_from_what_the_disk_has(place):
    scene = Scene()
    setattr(scene, place, [CallError("no leader"), *getattr(scene, place)])
    scene.clock.advance(0)

    scene.online.start()
    assert "decided 1" not in scene.seen
    scene.clock.set_wall_ms(scene.clock.wall_ms() - RETRY_MS)
    scene.clock.advance(RETRY_MS)

    assert scene.seen[-1] == "decided 1"


def test_another_refusal_of_an_id_does_not_give_it_up():
    scene = Scene()
    scene.applied = [refused(ResponseCode.CONTROLLER_NOT_LEADER)]

    scene.online.start()

    assert scene.disk.exists(f"{PATH}-temp")


def test_a_broker_that_controllers_forgot_begins_anew_at_once():
    scene = Scene()
    scene.disk.replace(PATH, b"c#b#7")
    scene.registered_as = [refused(ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED), LED]

    scene.online.start()
    scene.clock.advance(0)

    assert scene.seen[:4] == ["register 7", "next", "apply 1", "register 1"]
    assert scene.disk.read(f"{PATH}.bak") == b"c#b#7"


def test_another_refusal_of_a_registration_keeps_the_id():
    scene = Scene()
    scene.disk.replace(PATH, b"c#b#7")
    scene.registered_as = [refused(ResponseCode.CONTROLLER_NOT_LEADER)]

    scene.online.start()

    assert scene.disk.exists(PATH)
    assert scene.seen == ["register 7"]


def test_an_election_without_outcome_is_held_again():
    scene = Scene()
    scene.registered_as = [NOBODY]
    scene.elected = [NOBODY, LED]

    scene.online.start()
    assert scene.seen[-1] == "elect 1"
    scene.clock.advance(RETRY_MS)

    assert scene.seen[-2:] == ["elect 1", "decided 1"]


@pytest.mark.parametrize("place", ["registered_as", "elected"])
def test_an_answer_after_the_end_is_ignored(place):
    scene = Scene()
    scene.registered_as = [NOBODY]

    class Stopping(list):
        """Ends the way while it gives an answer."""

        def __len__(self) -> int:
            scene.online.stop()
            return 1

    setattr(scene, place, Stopping(getattr(scene, place)))
    scene.online.start()

    assert "decided 1" not in scene.seen
    assert ("known 1" in scene.seen) == (place == "elected")


def test_the_way_may_be_gone_again():
    scene = Scene()
    scene.online.start()

    scene.online.start()

    assert scene.seen.count("decided 1") == 2
