"""Consumer groups by command: create, change, delete, forbid, list."""

from codec.bodies import decode_body, encode_body
from codec.bodies.groups import GroupForbidden, SubscriptionGroupConfig, SubscriptionGroupList
from codec.codes import RequestCode, ResponseCode
from codec.headers.fields import RequestHeader
from codec.headers.groups import (
    DeleteSubscriptionGroupRequestHeader,
    GetSubscriptionGroupConfigRequestHeader,
    UpdateGroupForbiddenRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.admin.checks import (
    QUEUE_NUMS_MAX,
    check_group_name,
    check_range,
    check_topic_name,
)
from rmq.broker.stats import BrokerStats
from rmq.remoting.handling import Request, Response, handles

READ_BIT = 2
"""Number of the bit that forbids reading. Source: PermName.java, INDEX_PERM_READ, 5.3.3."""


class GroupAdminProcessor:
    """Changes the table of groups, and shows it. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(self, groups: Groups, offsets: ConsumerOffsets, stats: BrokerStats) -> None:
        self._groups = groups
        self._offsets = offsets
        self._stats = stats

    @handles(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP)
    def update(self, request: Request[RequestHeader]) -> Response:
        """Create a group or change it.

        :raises CommandError: INVALID_PARAMETER, a name or number cannot be; SYSTEM_ERROR, the
            attributes cannot be. Nothing is changed then.
        :raises CodecError: the body is no group.
        """
        config = decode_body(SubscriptionGroupConfig, request.body)
        _check(config)
        self._groups.update(config)
        return Response()

    @handles(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST)
    def update_list(self, request: Request[RequestHeader]) -> Response:
        """Create or change several groups, all or none.

        :raises CommandError: as ``update``.
        :raises CodecError: the body is no list of groups.
        """
        configs = decode_body(SubscriptionGroupList, request.body).group_config_list
        for config in configs:
            _check(config)
        self._groups.update_all(configs)
        return Response()

    @handles(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)
    def all_configs(self, _request: Request[RequestHeader]) -> Response:
        """Give all groups with the version of the table."""
        return Response(body=encode_body(self._groups.wrapper()))

    @handles(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, GetSubscriptionGroupConfigRequestHeader)
    def one_config(self, request: Request[GetSubscriptionGroupConfigRequestHeader]) -> Response:
        """Give the settings of one group; it is created if it is not there and that is allowed.

        :raises CommandError: SUBSCRIPTION_GROUP_NOT_EXIST.
        """
        config = self._groups.find(request.header.group)
        if config is None:
            raise CommandError(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "No group in this broker")
        return Response(body=encode_body(config))

    @handles(RequestCode.DELETE_SUBSCRIPTIONGROUP, DeleteSubscriptionGroupRequestHeader)
    def delete(self, request: Request[DeleteSubscriptionGroupRequestHeader]) -> Response:
        """Forget a group, with its offsets if asked; one that is not there is no error."""
        name = request.header.group_name
        self._groups.delete(name)
        if request.header.clean_offset:
            self._offsets.remove_group(name)
        self._stats.forget_group(name)
        return Response()

    @handles(RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN, UpdateGroupForbiddenRequestHeader)
    def forbid(self, request: Request[UpdateGroupForbiddenRequestHeader]) -> Response:
        """Forbid a group to read a topic or allow it again, if asked; say how it is now.

        :raises CommandError: INVALID_PARAMETER, no group or topic can be called so.
        """
        header = request.header
        group, topic = header.group, header.topic
        if header.readable is not None:
            check_group_name(group)
            check_topic_name(topic)
            self._groups.set_forbidden(group, topic, READ_BIT, on=not header.readable)
        readable = not self._groups.is_forbidden(group, topic, READ_BIT)
        body = GroupForbidden(group=group, topic=topic, readable=readable)
        return Response(remark="", body=encode_body(body))


def _check(config: SubscriptionGroupConfig) -> None:
    """Beyond Java, which takes any number: the retry topic must be possible."""
    check_group_name(config.group_name or "")
    check_range("retryQueueNums", config.retry_queue_nums, QUEUE_NUMS_MAX)
