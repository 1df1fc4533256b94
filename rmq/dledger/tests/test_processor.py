import json
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from codec.codes import DLedgerRequestCode as Code
from codec.errors import CodecError
from rmq.dledger.tests.groups import Group
from rmq.remoting.handling import Response


def asked(members: Group, target: str, code: Code, /, **fields: Any) -> dict[str, Any]:
    """The body of an answer that comes at once or soon; its header says SUCCESS."""
    found: list[Response] = []
    said = members.say(target, code, json.dumps(fields).encode())
    if isinstance(said, Deferred):
        said.addCallback(found.append)
        members.until(lambda: found, 4000)
    else:
        found.append(said)
    assert found[0].code == 200
    body: dict[str, Any] = json.loads(found[0].body)
    return body


@pytest.fixture
def group() -> Group:
    return Group(1).start()


def test_metadata_tells_peers_and_leader(group):
    group.elected()

    assert asked(group, "n0", Code.METADATA, group="g", remoteId="n0") == {
        "code": 200,
        "group": "g",
        "leaderId": "n0",
        "peers": group.addresses,
        "term": -1,
    }


@pytest.mark.parametrize("code", [Code.METADATA, Code.GET, Code.APPEND])
@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"group": "g", "remoteId": "n7"}, 401), ({"group": "h", "remoteId": "n0"}, 400)],
)
def test_who_means_another_is_refused(group, code, fields, refusal):
    group.elected()

    assert (
        asked(group, "n0", code, **fields, localId="n9", term=5)
        == {
            **fields,
            "code": refusal,
            "leaderId": "n0",
            "localId": "n9",
            "term": 5,
        }
        | {
            Code.METADATA: {},
            Code.GET: {"entries": []},
            Code.APPEND: {"index": -1, "pos": -1},
        }[code]
    )


@pytest.mark.parametrize("code", [Code.VOTE, Code.HEART_BEAT, Code.PUSH, Code.LEADERSHIP_TRANSFER])
@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"group": "g", "remoteId": "n7"}, 401), ({"group": "h", "remoteId": "n0"}, 400)],
)
def test_peers_that_mean_another_are_refused(group, code, fields, refusal):
    group.elected()

    said = asked(group, "n0", code, **fields, localId="n9", term=5, type="COMMIT")

    assert said["code"] == refusal
    assert (said["group"], said["remoteId"], said["localId"], said["term"]) == (
        fields["group"],
        fields["remoteId"],
        "n9",
        5,
    )


def test_entries_are_appended_and_read(group):
    leader = group.elected()

    said = asked(group, "n0", Code.APPEND, group="g", remoteId="n0", body="aGVsbG8=")
    assert said == {
        "code": 200,
        "group": "g",
        "index": 1,
        "leaderId": "n0",
        "pos": 48,
        "term": leader.term,
    }
    said = asked(group, "n0", Code.APPEND, group="g", remoteId="n0", batchMsgs=["aGk=", "aG8="])
    assert (said["code"], said["index"]) == (200, 3)

    said = asked(group, "n0", Code.GET, group="g", remoteId="n0", beginIndex=1)
    assert said["entries"][0]["body"] == "aGVsbG8="
    assert said["entries"][0]["size"] == 53


@pytest.mark.parametrize("fields", [{}, {"batchMsgs": []}])
def test_nothing_to_append_is_refused(group, fields):
    group.elected()

    assert asked(group, "n0", Code.APPEND, group="g", remoteId="n0", **fields)["code"] == 420


@pytest.mark.parametrize("fields", [{}, {"beginIndex": -1}, {"beginIndex": 9}])
def test_an_entry_that_is_not_there_is_refused(group, fields):
    group.elected()

    assert asked(group, "n0", Code.GET, group="g", remoteId="n0", **fields)["code"] == 410


def test_an_entry_that_was_cleaned_away_is_refused(group):
    leader = group.elected()
    leader.log.begin_index = 1
    group.proposed(b"a")

    said = asked(group, "n0", Code.GET, group="g", remoteId="n0", beginIndex=0)

    assert said["code"] == 419


def test_an_entry_that_vanished_meanwhile_is_a_disk_error(group):
    leader = group.elected()
    group.proposed(b"a")
    leader.log.entry = lambda _: None

    assert asked(group, "n0", Code.GET, group="g", remoteId="n0", beginIndex=0)["code"] == 414


def test_only_the_leader_gives_entries():
    group = Group().start()
    leader = group.elected()
    group.run(500)
    other = next(one for one in group.ids if one != leader.self_id)

    said = asked(group, other, Code.GET, group="g", remoteId=other, beginIndex=0)
    assert (said["code"], said["leaderId"]) == (404, leader.self_id)
    said = asked(group, other, Code.APPEND, group="g", remoteId=other, body="")
    assert (said["code"], said["leaderId"]) == (404, leader.self_id)


def test_pulling_is_not_supported(group):
    said = asked(group, "n0", Code.PULL, group="g", remoteId="n0", term=1)

    assert (said["code"], said["entries"]) == (303, [])


def test_a_client_has_leadership_given_away():
    group = Group().start()
    leader = group.elected()
    group.run(500)
    other = next(one for one in group.ids if one != leader.self_id)

    said = asked(
        group,
        leader.self_id,
        Code.LEADERSHIP_TRANSFER,
        group="g",
        remoteId=leader.self_id,
        transferId=leader.self_id,
        transfereeId=other,
        term=leader.term,
    )

    assert said["code"] == 200
    group.until(lambda: group.members[other].is_leader)


def test_our_own_failure_is_not_hidden(group):
    group.elected().propose = lambda _: fail(RuntimeError("ours"))
    found: list[Any] = []

    said = group.say("n0", Code.APPEND, b'{"group":"g","remoteId":"n0","body":""}')
    said.addErrback(found.append)

    assert found[0].type is RuntimeError


@pytest.mark.parametrize("code", list(Code))
@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"term":"x"}'])
def test_a_body_that_cannot_be_read_is_refused_by_the_dispatcher(group, code, body):
    with pytest.raises(CodecError):
        group.say("n0", code, body)
