"""A broker that is none: queues in memory, and answers as told."""

import json

from codec.message.record import pack_record
from scripts.faultlib import ROOT  # noqa: F401 - lets wire be found

import wire  # isort: skip


def record(topic, queue, offset, body):
    return pack_record(
        body=body,
        topic=topic.encode(),
        properties=b"",
        queue_id=queue,
        flag=0,
        queue_offset=offset,
        position=0,
        sys_flag=0,
        born_timestamp=1,
        born_host=bytes(8),
        store_timestamp=77,
        store_host=bytes(8),
        reconsume_times=0,
        prepared_transaction_offset=0,
    )


class Process:
    def __init__(self):
        self.pid = 4711
        self.code = None
        self.signals = []

    def poll(self):
        return self.code

    def send_signal(self, number):
        self.signals.append(number)


class Broker:
    """Stands for the server, its process and a connection to it."""

    address = "10.0.0.1:1"

    def __init__(self, queues=None):
        self.queues = {} if queues is None else queues
        self.process = Process()
        self.starts = 0
        self.refusal = None
        self.is_away = False
        self.answers = []
        self.most = 2
        """Messages that a pull gives."""
        self.end_code = wire.NOT_FOUND
        self.first_offset = 0
        self.socket = self
        self.closed = 0

    def end(self):
        self.process = None

    def launch(self):
        self.process = Process()
        self.starts += 1

    def log(self):
        return "one\nTraceback\nValueError: no"

    def peer(self, timeout_s):
        if self.is_away:
            raise ConnectionRefusedError
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closed += 1

    def sendall(self, data):
        while data:
            size, header = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
            told = json.loads(data[8 : 8 + header])
            answer = self._sent(told["extFields"], data[8 + header : 4 + size])
            answer.opaque = told["opaque"]
            self.answers.append(answer)
            data = data[4 + size :]

    def read(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call(self, code, fields, body=b""):
        if code == wire.SEND:
            if self.is_away:
                raise TimeoutError
            return self._sent(fields, body)
        assert code == wire.PULL
        if self.refusal is not None:
            return wire.Answer(self.refusal, 1, "why")
        queue = self.queues.get((fields["topic"], fields["queueId"]), [])
        at = fields["queueOffset"]
        if at >= len(queue):
            return wire.Answer(self.end_code, 1, fields={"maxOffset": str(len(queue))})
        several = range(at, min(at + min(self.most, fields["maxMsgNums"]), len(queue)))
        records = [
            record(fields["topic"], fields["queueId"], one + self.first_offset, queue[one])
            for one in several
        ]
        return wire.Answer(wire.SUCCESS, 1, body=b"".join(records))

    def _sent(self, fields, body):
        if self.refusal is not None:
            return wire.Answer(self.refusal, 1)
        queue = self.queues.setdefault((fields["b"], int(fields["e"])), [])
        queue.append(body)
        return wire.Answer(wire.SUCCESS, 1, fields={"queueOffset": str(len(queue) - 1)})
