"""Topics by command: create, change, delete, list."""

from collections.abc import Callable

from twisted.internet.defer import Deferred

from codec.bodies import decode_body, encode_body
from codec.bodies.topics import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndQueueMapping,
    TopicFilterType,
    TopicList,
)
from codec.codes import RequestCode, ResponseCode
from codec.headers.fields import RequestHeader
from codec.headers.topics import (
    CreateTopicListRequestHeader,
    CreateTopicRequestHeader,
    DeleteTopicRequestHeader,
    GetAllTopicConfigResponseHeader,
    GetTopicConfigRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.attributes import parse_alterations
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.admin.checks import (
    QUEUE_NUMS_MAX,
    check_range,
    check_topic_name,
)
from rmq.broker.stats import BrokerStats
from rmq.broker.topics import PERM_MAX, Topics
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Answer, Request, Response, handles
from rmq.store.store import MessageStore

MIXED = ("+message.type", "MIXED")


class TopicAdminProcessor:
    """Changes the table of topics, and shows it. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        offsets: ConsumerOffsets,
        store: MessageStore,
        stats: BrokerStats,
        told: Callable[[], Deferred[None]],
    ) -> None:
        """``told`` fires when NameServers know of a change. ``config`` may be replaced while
        running: assign the attribute.
        """
        self.config = config
        self._topics = topics
        self._offsets = offsets
        self._store = store
        self._stats = stats
        self._told = told

    @handles(RequestCode.UPDATE_AND_CREATE_TOPIC, CreateTopicRequestHeader)
    def update(self, request: Request[CreateTopicRequestHeader]) -> Answer:
        """Create a topic or change it; nothing happens if it is so already.

        Answered when NameServers know of it: who asks them next finds it.
        Source: updateAndCreateTopic().

        :raises CommandError: INVALID_PARAMETER, a name or number cannot be; SYSTEM_ERROR, the
            attributes or the filter type cannot be. Nothing is changed then.
        """
        header = request.header
        try:
            filter_type = TopicFilterType(header.topic_filter_type)
        except ValueError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"topicFilterType = [{header.topic_filter_type}] value invalid, "
                f"expected one of {', '.join(TopicFilterType)}",
            ) from error
        wanted = TopicConfig(
            topic_name=header.topic,
            read_queue_nums=header.read_queue_nums,
            write_queue_nums=header.write_queue_nums,
            perm=header.perm,
            topic_filter_type=filter_type,
            topic_sys_flag=header.topic_sys_flag or 0,
            order=header.order,
            attributes=parse_alterations(header.attributes or ""),
        )
        self._check(wanted)
        if wanted == self._topics.get(header.topic):
            return Response()
        self._topics.update(wanted)
        return self._when_told()

    @handles(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, CreateTopicListRequestHeader)
    def update_list(self, request: Request[CreateTopicListRequestHeader]) -> Answer:
        """Create or change several topics, all or none.

        Java stops with success at the first that is already so; here the others are done.
        Source: updateAndCreateTopicList().

        :raises CommandError: as ``update``.
        :raises CodecError: the body is no list of topics.
        """
        wanted = decode_body(CreateTopicListRequestBody, request.body).topic_config_list
        for config in wanted:
            self._check(config)
        changed = [config for config in wanted if config != self._topics.get(config.topic_name)]
        if not changed:
            return Response()
        self._topics.update_all(changed)
        return self._when_told()

    def _when_told(self) -> Deferred[Response | bytes]:
        answer: Deferred[Response | bytes] = self._told().addCallback(lambda _: Response())
        return answer

    @handles(RequestCode.DELETE_TOPIC_IN_BROKER, DeleteTopicRequestHeader)
    def delete(self, request: Request[DeleteTopicRequestHeader]) -> Response:
        """Forget a topic, its queues, the offsets of groups in it, and its POP retry topics.

        A topic that is not there is no error. Source: deleteTopic().

        :raises CommandError: INVALID_PARAMETER, no topic can be called so, or it is a system topic.
        """
        topic = request.header.topic
        if topic not in self._topics:
            check_topic_name(topic)
        self._refuse_system(topic)
        doomed = [topic]
        if self.config.clearRetryTopicWhenDeleteTopic:
            for group in sorted(self._offsets.groups_of(topic)):
                retry_topics = (
                    names.pop_retry_topic(group, topic, second_form=second_form)
                    for second_form in (True, False)
                )
                doomed += [retry for retry in retry_topics if retry in self._topics]
        for name in doomed:
            self._topics.delete(name)
            self._offsets.remove_topic(name)
            self._stats.forget_topic(name)
        self._store.delete_topics(set(doomed))
        return Response()

    @handles(RequestCode.GET_ALL_TOPIC_CONFIG)
    def all_configs(self, _request: Request[RequestHeader]) -> Response:
        """Give all topics with the version of the table."""
        body = encode_body(self._topics.all_configs())
        return Response(GetAllTopicConfigResponseHeader(), body=body)

    @handles(RequestCode.GET_TOPIC_CONFIG, GetTopicConfigRequestHeader)
    def one_config(self, request: Request[GetTopicConfigRequestHeader]) -> Response:
        """Give the settings of one topic.

        :raises CommandError: TOPIC_NOT_EXIST.
        """
        topic = request.header.topic
        config = self._topics.get(topic)
        if config is None:
            raise CommandError(
                ResponseCode.TOPIC_NOT_EXIST, f"No topic in this broker. topic: {topic}"
            )
        shown = TopicConfigAndQueueMapping(
            attributes=config.attributes,
            order=config.order,
            perm=config.perm,
            read_queue_nums=config.read_queue_nums,
            topic_filter_type=config.topic_filter_type,
            topic_name=config.topic_name,
            topic_sys_flag=config.topic_sys_flag,
            write_queue_nums=config.write_queue_nums,
        )
        return Response(body=encode_body(shown))

    @handles(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER)
    def system_topics(self, _request: Request[RequestHeader]) -> Response:
        """Name RocketMQ's own topics, also those that are not there."""
        topic_list = sorted(self._topics.system_topics)
        return Response(body=encode_body(TopicList(topic_list=topic_list)))

    def _check(self, config: TopicConfig) -> None:
        """Refuse what cannot be a topic, or may not be changed.

        Beyond Java, which takes any number, queues and permission must be possible.
        """
        check_topic_name(config.topic_name)
        self._refuse_system(config.topic_name)
        check_range("readQueueNums", config.read_queue_nums, QUEUE_NUMS_MAX)
        check_range("writeQueueNums", config.write_queue_nums, QUEUE_NUMS_MAX)
        check_range("perm", config.perm, PERM_MAX)
        key, value = MIXED
        if not self.config.enableMixedMessageType and config.attributes.get(key) == value:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER, "MIXED message type is not supported."
            )

    def _refuse_system(self, topic: str) -> None:
        if self.config.validateSystemTopicWhenUpdateTopic and self._topics.is_system(topic):
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"The topic[{topic}] is conflict with system topic.",
            )
