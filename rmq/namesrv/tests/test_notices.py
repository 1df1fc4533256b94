from rmq.namesrv.notices import MinBrokerIdNotice, Notices
from rmq.namesrv.tests.scene import MemoryCaller


def test_an_arrival_is_told_to_those_that_were_there() -> None:
    notice = MinBrokerIdNotice.after_arrival({0: "a", 1: "b", 2: "c"}, "ha")

    assert notice == MinBrokerIdNotice(0, "a", None, "ha", ("b", "c"))


def test_a_lonely_arrival_is_told_to_itself() -> None:
    assert MinBrokerIdNotice.after_arrival({-1: "a"}, "ha").receivers == ("a",)


def test_a_departure_is_told_to_all_that_remain() -> None:
    notice = MinBrokerIdNotice.after_departure({1: "b", 2: "c"}, "a")

    assert notice == MinBrokerIdNotice(1, "b", "a", None, ("b", "c"))


def test_a_notice_goes_one_way_to_each_receiver_without_what_is_unknown() -> None:
    caller = MemoryCaller()

    Notices(caller).send(MinBrokerIdNotice(1, "b", "a", None, ("b", "c")))

    fields = {"minBrokerId": "1", "minBrokerAddr": "b", "offlineBrokerAddr": "a"}
    assert caller.sent == [("b", fields), ("c", fields)]
