import pytest

from codec.codes import RequestCode, ResponseCode
from codec.headers.namesrv import (
    DeleteKVConfigRequestHeader,
    GetKVConfigRequestHeader,
    GetKVConfigResponseHeader,
    GetKVListByNamespaceRequestHeader,
    PutKVConfigRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.namesrv.tests.scene import Scene

PUT = PutKVConfigRequestHeader(namespace="n", key="k", value="v")
GET = GetKVConfigRequestHeader(namespace="n", key="k")
DELETE = DeleteKVConfigRequestHeader(namespace="n", key="k")
LIST = GetKVListByNamespaceRequestHeader(namespace="n")


def test_a_value_is_put_given_listed_and_deleted() -> None:
    scene = Scene()

    scene.ask(RequestCode.PUT_KV_CONFIG, PUT)
    assert scene.ask(RequestCode.GET_KV_CONFIG, GET).header == GetKVConfigResponseHeader(value="v")
    assert scene.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, LIST).body == b'{"table":{"k":"v"}}'

    scene.ask(RequestCode.DELETE_KV_CONFIG, DELETE)
    assert scene.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, LIST).body == b'{"table":{}}'
    assert scene.files.files["/kv.json"] == b'{"configTable":{"n":{}}}'


def test_what_is_not_there_is_not_found() -> None:
    scene = Scene()

    with pytest.raises(CommandError, match=r"No config item, Namespace: n Key: k$") as value:
        scene.ask(RequestCode.GET_KV_CONFIG, GET)
    with pytest.raises(CommandError, match=r"No config item, Namespace: n$") as namespace:
        scene.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, LIST)

    assert value.value.code == namespace.value.code == ResponseCode.QUERY_NOT_FOUND


def test_what_cannot_be_saved_is_refused() -> None:
    scene = Scene()
    scene.ask(RequestCode.PUT_KV_CONFIG, PUT)
    scene.files.failure = OSError("no room")

    for code, header in ((RequestCode.PUT_KV_CONFIG, PUT), (RequestCode.DELETE_KV_CONFIG, DELETE)):
        with pytest.raises(CommandError, match="no room") as refused:
            scene.ask(code, header)
        assert refused.value.code == ResponseCode.SYSTEM_ERROR

    assert scene.ask(RequestCode.GET_KV_CONFIG, GET).header == GetKVConfigResponseHeader(value="v")
