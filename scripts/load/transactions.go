package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// sendHalf begins a transaction with its half message.
func (c *client) sendHalf(request *asked) error {
	request.message = fresh.Add(1)
	fillBody(c.body, request.message)
	c.fields = c.halfFields(c.fields[:0], request.queue, request.message)
	return c.write(sendMessageV2, request.opaque, c.fields, c.body)
}

// checkHalf compares the answer to a half message with what was sent. The queue is that of the
// real topic; the offset is one in the queue of half messages. That a client gets the unique key
// back as the transaction's id is how it finds its transaction again.
func checkHalf(got answer, request *asked) error {
	queue, hasQueue := number(got.header, `"queueId":`)
	var key [keyLength]byte
	id := fmt.Sprintf(`"transactionId":"%s"`, appendKey(key[:0], request.message))
	if !hasQueue || int(queue) != request.queue || !bytes.Contains(got.header, []byte(id)) || len(got.body) > 0 {
		return fmt.Errorf("half message for queue %d, answer %.400s", request.queue, got.header)
	}
	return nil
}

// commit ends the transaction whose half message has this answer. Java clients ask for no answer;
// this one does, so that the commit is known to have succeeded, and when. It is as old as its half
// message.
func (c *client) commit(half answer, begun *asked) error {
	at, message := begun.at, begun.message
	halfOffset, hasOffset := number(half.header, `"queueOffset":`)
	position, err := positionIn(half.header)
	if err != nil || !hasOffset || halfOffset < 0 {
		return fmt.Errorf("half message without offset or position: %.400s", half.header)
	}
	request, err := c.begin()
	if err != nil {
		return err
	}
	request.at, request.ending = at, true
	c.fields = c.commitFields(c.fields[:0], message, halfOffset, position)
	return c.write(endTransaction, request.opaque, c.fields, nil)
}

// positionIn gives where in the log a message lies: the last 16 digits of the id in its answer.
func positionIn(header []byte) (int64, error) {
	const name, digits = `"msgId":"`, 16
	at := bytes.Index(header, []byte(name))
	if at < 0 {
		return 0, fmt.Errorf("no id")
	}
	id, _, _ := bytes.Cut(header[at+len(name):], []byte(`"`))
	if len(id) < digits {
		return 0, fmt.Errorf("id %s", id)
	}
	return strconv.ParseInt(string(id[len(id)-digits:]), 16, 64)
}
