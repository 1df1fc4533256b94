package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	producerGroup = "bench_producer"
	consumerGroup = "bench_consumer"
	keyLength     = 32 // of a unique key of an IPv4 client, in hexadecimal digits
	tag           = "TagA"

	// Values of RocketMQ's system flag: of a half message, and of how a transaction ends.
	transactionPrepared = 4
	transactionCommit   = 8
)

// fresh numbers every message of this process; unique keys and bodies carry it.
var fresh atomic.Uint32

// keyStart is what all unique keys of this process begin with: address, process id, the hash of
// a class loader, and the time, each as the Java client lays them out.
var keyStart = strings.ToUpper(hex.EncodeToString([]byte{
	127, 0, 0, 1,
	byte(os.Getpid() >> 8), byte(os.Getpid()),
	0x1D, 0xBD, 0x16, 0xA6,
	byte(time.Now().UnixMilli() >> 8), byte(time.Now().UnixMilli()),
}))

// appendKey writes a unique key that ends with the message's number.
func appendKey(to []byte, message uint32) []byte {
	const digits = "0123456789ABCDEF"
	to = append(to, keyStart...)
	for shift := 28; shift >= 0; shift -= 4 {
		to = append(to, digits[message>>shift&15])
	}
	return to
}

// fillBody writes a body that begins with the message's number, as its key ends, and goes on
// with a pattern, so that a reader can check it all.
func fillBody(body []byte, message uint32) {
	var key [keyLength]byte
	copy(body, appendKey(key[:0], message)[keyLength-8:])
	for i := 8; i < len(body); i++ {
		body[i] = pattern[(i+int(message))%len(pattern)]
	}
}

const pattern = "abcdefghijklmnopqrstuvwxyz 0123456789"

// sendFields is header V2 as the Java client 5.3.3 writes it.
func (o *options) sendFields(to []byte, queue int, message uint32) []byte {
	to = o.sendHead(to, queue, 0)
	if o.bare {
		return o.sendTail(append(to, `WAIT\u0001true\u0002`...))
	}
	to = append(to, `UNIQ_KEY\u0001`...)
	to = appendKey(to, message)
	return o.sendTail(append(to, `\u0002WAIT\u0001true\u0002TAGS\u0001`+tag+`\u0002`...))
}

// halfFields is the header of a half message: its properties in the order of Java's HashMap, none
// of them left out.
func (o *options) halfFields(to []byte, queue int, message uint32) []byte {
	to = o.sendHead(to, queue, transactionPrepared)
	to = append(to, `TRAN_MSG\u0001true\u0002UNIQ_KEY\u0001`...)
	to = appendKey(to, message)
	to = append(to, `\u0002WAIT\u0001true\u0002PGROUP\u0001`+producerGroup+`\u0002TAGS\u0001`+tag+`\u0002`...)
	return o.sendTail(to)
}

// commitFields is how a Java producer ends a transaction, in the order of Java's HashMap.
func (o *options) commitFields(to []byte, message uint32, halfOffset, position int64) []byte {
	to = append(to, `{"producerGroup":"`+producerGroup+`","bname":"`...)
	to = append(to, o.brokerName...)
	to = append(to, `","commitLogOffset":"`...)
	to = strconv.AppendInt(to, position, 10)
	to = append(to, `","topic":"`...)
	to = append(to, o.topic...)
	to = append(to, `","msgId":"`...)
	to = appendKey(to, message)
	to = append(to, `","tranStateTableOffset":"`...)
	to = strconv.AppendInt(to, halfOffset, 10)
	to = append(to, `","commitOrRollback":"`...)
	to = strconv.AppendInt(to, transactionCommit, 10)
	to = append(to, `","transactionId":"`...)
	to = appendKey(to, message)
	return append(to, `","fromTransactionCheck":"false"}`...)
}

// sendHead is header V2 up to where the properties begin.
func (o *options) sendHead(to []byte, queue, sysFlag int) []byte {
	to = append(to, `{"a":"`+producerGroup+`","b":"`...)
	to = append(to, o.topic...)
	to = append(to, `","c":"TBW102","d":"4","e":"`...)
	to = strconv.AppendInt(to, int64(queue), 10)
	to = append(to, `","f":"`...)
	to = strconv.AppendInt(to, int64(sysFlag), 10)
	to = append(to, `","g":"`...)
	to = strconv.AppendInt(to, time.Now().UnixMilli(), 10)
	return append(to, `","h":"0","i":"`...)
}

// sendTail is the rest of it, after the properties.
func (o *options) sendTail(to []byte) []byte {
	to = append(to, `","j":"0","k":"false","m":"false`...)
	if o.bare {
		return append(to, `"}`...)
	}
	to = append(to, `","n":"`...)
	to = append(to, o.brokerName...)
	return append(to, `"}`...)
}

// pullFields is what a push consumer of 5.3.3 writes, in the order of Java's HashMap. It commits
// on the way (flag 1) what it has consumed and lets itself be held (flag 2).
func (o *options) pullFields(to []byte, queue int, offset int64) []byte {
	to = append(to, `{"queueId":"`...)
	to = strconv.AppendInt(to, int64(queue), 10)
	if o.bare {
		to = append(to, `","maxMsgNums":"`...)
	} else {
		to = append(to, `","maxMsgBytes":"262144","maxMsgNums":"`...)
	}
	to = strconv.AppendInt(to, int64(o.batch), 10)
	if o.bare {
		to = append(to, `","sysFlag":"4","subscription":"*","suspendTimeoutMillis":"15000","commitOffset":"0","topic":"`...)
	} else {
		to = append(to, `","sysFlag":"`...)
		flags, committed := int64(2), int64(0)
		if offset > 0 {
			flags, committed = 3, offset
		}
		to = strconv.AppendInt(to, flags, 10)
		to = append(to, `","suspendTimeoutMillis":"15000","commitOffset":"`...)
		to = strconv.AppendInt(to, committed, 10)
		to = append(to, `","bname":"`...)
		to = append(to, o.brokerName...)
		to = append(to, `","topic":"`...)
	}
	to = append(to, o.topic...)
	to = append(to, `","queueOffset":"`...)
	to = strconv.AppendInt(to, offset, 10)
	to = append(to, `","expressionType":"TAG","subVersion":"`...)
	to = strconv.AppendInt(to, o.subscribedAt, 10)
	return append(to, `","consumerGroup":"`+consumerGroup+`"}`...)
}

func (o *options) routeFields() []byte {
	if o.bare {
		return []byte(`{"acceptStandardJsonOnly":"true","topic":"` + o.topic + `"}`)
	}
	return []byte(`{"topic":"` + o.topic + `"}`)
}

func topicFields(topic string, queues int) []byte {
	return []byte(fmt.Sprintf(`{"topic":"%s","defaultTopic":"TBW102","readQueueNums":"%d","writeQueueNums":"%d",`+
		`"perm":"6","topicFilterType":"SINGLE_TAG","topicSysFlag":"0","order":"false"}`, topic, queues, queues))
}

func queueFields(topic string, queue int) []byte {
	return []byte(fmt.Sprintf(`{"topic":"%s","queueId":"%d"}`, topic, queue))
}

// heartbeatOfProducer is the body by which a Java producer makes itself known.
func heartbeatOfProducer(client int, group string) []byte {
	return []byte(fmt.Sprintf(`{"clientID":"127.0.0.1@%d#%d","consumerDataSet":[],"heartbeatFingerprint":0,`+
		`"producerDataSet":[{"groupName":"%s"},{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`,
		os.Getpid(), client, group))
}

// heartbeatOfConsumer is that of a Java push consumer; its version must be that of the pulls.
func (o *options) heartbeatOfConsumer(client int) []byte {
	subscription := func(topic string) string {
		return fmt.Sprintf(`{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*",`+
			`"subVersion":%d,"tagsSet":[],"topic":"%s"}`, o.subscribedAt, topic)
	}
	return []byte(fmt.Sprintf(`{"clientID":"127.0.0.1@%d#%d","consumerDataSet":[{"consumeFromWhere":`+
		`"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"%s","messageModel":"CLUSTERING",`+
		`"subscriptionDataSet":[%s,%s],"unitMode":false}],"heartbeatFingerprint":0,`+
		`"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`,
		os.Getpid(), client, consumerGroup, subscription("%RETRY%"+consumerGroup), subscription(o.topic)))
}
