package main

import (
	"bytes"
	"fmt"
	"math/bits"
	"sync"
	"time"
)

// window bounds how far the oldest unanswered request of a connection may lie behind the newest.
const window = 1024

// asked is one request that is not answered yet.
type asked struct {
	opaque, queue int
	offset        int64
	at            time.Time
	outstanding   bool
	message       uint32 // transaction: its half message
	ending        bool   // transaction: its half message is stored, the commit is asked
}

// client asks over one connection.
type client struct {
	*options
	*link
	mode         string
	id           int
	first, end   []int64 // by queue: what may be pulled
	next         int64   // offset of the next pull, of queue id % queues
	opaque       int
	requests     [window]asked
	body, fields []byte
	ok, messages uint64 // a transaction is one of each, when it is committed
	latency      histogram
}

type loadResult struct {
	Requests uint64  `json:"requests"`
	Messages uint64  `json:"messages"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Max      float64 `json:"max_us"`
}

// load connects, says ready, asks for o.seconds and drains.
func (o *options) load(mode string) error {
	var first, end []int64
	if mode == "pull" {
		var err error
		if first, end, err = o.fillQueues(); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	clients, err := o.clients(mode, first, end)
	if err != nil {
		return err
	}
	before, err := o.sentUpTo(mode)
	if err != nil {
		return err
	}
	if err := o.ready(); err != nil {
		return err
	}
	begun := time.Now()
	deadline := begun.Add(time.Duration(o.seconds * float64(time.Second)))
	if err := together(clients, func(c *client) error { return c.ask(deadline, -1) }); err != nil {
		return err
	}
	result := loadResult{Seconds: time.Since(begun).Seconds()}
	var all histogram
	for _, c := range clients {
		result.Requests += c.ok
		result.Messages += c.messages
		all.add(&c.latency)
	}
	result.P50, result.P99, result.Max = all.quantile(0.5), all.quantile(0.99), all.quantile(1)
	if err := o.nothingIsMissing(mode, before, result.Messages); err != nil {
		return err
	}
	return report(result)
}

func (o *options) clients(mode string, first, end []int64) ([]*client, error) {
	clients := make([]*client, o.conns[0])
	for id := range clients {
		l, err := connect(o.addr, o.language(), bufferSize)
		if err != nil {
			return nil, err
		}
		c := &client{options: o, link: l, mode: mode, id: id, first: first, end: end, body: make([]byte, 0)}
		clients[id] = c
		if mode == "send" || mode == "transaction" {
			c.body = make([]byte, o.size)
		}
		if mode == "pull" {
			c.next = first[id%o.queues]
		}
		if o.bare || mode == "route" {
			continue
		}
		heartbeat := heartbeatOfProducer(id, producerGroup)
		if mode == "pull" {
			heartbeat = o.heartbeatOfConsumer(id)
		}
		if _, err := l.mustSucceed(heartBeat, 0, []byte("{}"), heartbeat); err != nil {
			return nil, err
		}
	}
	return clients, nil
}

// together runs work for every client and gives the first error.
func together(clients []*client, work func(*client) error) error {
	var group sync.WaitGroup
	errs := make([]error, len(clients))
	for i, c := range clients {
		group.Add(1)
		go func(i int, c *client) {
			defer group.Done()
			errs[i] = work(c)
		}(i, c)
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ask keeps depth requests in flight until the deadline, or until count were asked if that is not
// negative, and then waits for the answers to the last.
func (c *client) ask(deadline time.Time, count int) error {
	inFlight := 0
	for ; inFlight < c.depth && count != 0; inFlight++ {
		if err := c.askOne(); err != nil {
			return err
		}
		count--
	}
	for inFlight > 0 {
		got, err := c.read()
		if err != nil {
			return err
		}
		now := time.Now()
		request := &c.requests[uint(got.opaque)%window]
		if !request.outstanding || request.opaque != got.opaque {
			return fmt.Errorf("answer with opaque %d, which is not asked", got.opaque)
		}
		request.outstanding = false
		if err := c.check(got, request); err != nil {
			return err
		}
		if c.mode == "transaction" && !request.ending {
			if err := c.commit(got, request); err != nil {
				return err
			}
			continue
		}
		c.latency.record(now.Sub(request.at))
		c.ok++
		if count != 0 && now.Before(deadline) {
			if err := c.askOne(); err != nil {
				return err
			}
			count--
		} else {
			inFlight--
		}
	}
	return nil
}

// begin gives the place of a new request.
func (c *client) begin() (*asked, error) {
	c.opaque++
	request := &c.requests[c.opaque%window]
	if request.outstanding {
		return nil, fmt.Errorf("request %d has no answer while %d later ones have", request.opaque, window)
	}
	*request = asked{opaque: c.opaque, at: time.Now(), outstanding: true}
	return request, nil
}

func (c *client) askOne() error {
	request, err := c.begin()
	if err != nil {
		return err
	}
	switch c.mode {
	case "send":
		request.queue = (c.id + c.opaque) % c.queues
		return c.send(request.queue, request.opaque)
	case "transaction":
		request.queue = (c.id + c.opaque/2) % c.queues // every other request is a commit
		return c.sendHalf(request)
	case "pull":
		request.queue = c.id % c.queues
		if c.next+int64(c.batch) > c.end[request.queue] {
			c.next = c.first[request.queue]
		}
		request.offset = c.next
		c.next += int64(c.batch)
		c.fields = c.pullFields(c.fields[:0], request.queue, request.offset)
		return c.write(pullMessage, request.opaque, c.fields, nil)
	}
	return c.write(getRouteInfo, request.opaque, c.routeFields(), nil)
}

func (c *client) send(queue, opaque int) error {
	message := fresh.Add(1)
	fillBody(c.body, message)
	c.fields = c.sendFields(c.fields[:0], queue, message)
	return c.write(sendMessageV2, opaque, c.fields, c.body)
}

// check compares an answer with its request.
func (c *client) check(got answer, request *asked) error {
	if got.code != 0 {
		return fmt.Errorf("%s got code %d: %.300s", c.mode, got.code, got.header)
	}
	switch c.mode {
	case "send":
		queue, hasQueue := number(got.header, `"queueId":`)
		offset, hasOffset := number(got.header, `"queueOffset":`)
		if !hasQueue || int(queue) != request.queue || !hasOffset || offset < 0 ||
			!bytes.Contains(got.header, []byte(`"msgId":"`)) || len(got.body) > 0 {
			return fmt.Errorf("sent to queue %d, answer %.400s", request.queue, got.header)
		}
		c.messages++
	case "transaction":
		if !request.ending {
			return checkHalf(got, request)
		}
		c.messages++
	case "pull":
		count, err := checkRecords(got.body, c.topic, request.queue, request.offset, c.size, c.bare)
		if err != nil {
			return err
		}
		next, _ := number(got.header, `"nextBeginOffset":`)
		if count != c.batch || next != request.offset+int64(count) {
			return fmt.Errorf("pull at %d gave %d of %d messages and goes on at %d", request.offset, count, c.batch, next)
		}
		c.messages += uint64(count)
	case "route":
		if !bytes.Contains(got.body, []byte(`"brokerName":"`+c.brokerName+`"`)) ||
			!bytes.Contains(got.body, []byte(`"brokerAddrs":{`)) ||
			!bytes.Contains(got.body, []byte(fmt.Sprintf(`"writeQueueNums":%d`, c.queues))) {
			return fmt.Errorf("route %.400s", got.body)
		}
	}
	return nil
}

// fillQueues sends messages and gives, by queue, the first offset of them and the end.
func (o *options) fillQueues() (first, end []int64, err error) {
	sender := *o
	sender.conns, sender.depth = []int{o.queues}, 16
	clients, err := sender.clients("send", nil, nil)
	if err != nil {
		return nil, nil, err
	}
	if first, err = o.maxOffsets(); err != nil {
		return nil, nil, err
	}
	err = together(clients, func(c *client) error { return c.ask(time.Now().Add(time.Hour), o.fill) })
	if err != nil {
		return nil, nil, err
	}
	for _, c := range clients {
		c.socket.Close()
	}
	want := uint64(o.queues * o.fill)
	for patience := time.Now().Add(answerWait); ; time.Sleep(10 * time.Millisecond) {
		if end, err = o.maxOffsets(); err != nil {
			return nil, nil, err
		}
		if got := sum(end) - sum(first); got == want {
			return first, end, nil
		} else if got > want || time.Now().After(patience) {
			return nil, nil, fmt.Errorf("%d messages acknowledged, %d in the queues", want, got)
		}
	}
}

// grows says whether the queues of the topic must grow by what was acknowledged.
func grows(mode string) bool {
	return mode == "send" || mode == "transaction"
}

func (o *options) sentUpTo(mode string) (uint64, error) {
	if !grows(mode) {
		return 0, nil
	}
	offsets, err := o.maxOffsets()
	return sum(offsets), err
}

// nothingIsMissing compares what was acknowledged with how much the queues grew.
func (o *options) nothingIsMissing(mode string, before, acknowledged uint64) error {
	for patience := time.Now().Add(answerWait); grows(mode); time.Sleep(10 * time.Millisecond) {
		now, err := o.sentUpTo(mode)
		if err != nil {
			return err
		}
		if now-before == acknowledged {
			return nil
		}
		if now-before > acknowledged || time.Now().After(patience) {
			return fmt.Errorf("%d messages acknowledged, but the queues grew by %d", acknowledged, now-before)
		}
	}
	return nil
}

func (o *options) maxOffsets() ([]int64, error) {
	l, err := connect(o.addr, o.language(), bufferSize)
	if err != nil {
		return nil, err
	}
	defer l.socket.Close()
	offsets := make([]int64, o.queues)
	for queue := range offsets {
		got, err := l.mustSucceed(getMaxOffset, queue+1, queueFields(o.topic, queue), nil)
		if err != nil {
			return nil, err
		}
		offset, has := number(got.header, `"offset":`)
		if !has {
			return nil, fmt.Errorf("no offset in %.300s", got.header)
		}
		offsets[queue] = offset
	}
	return offsets, nil
}

func sum(offsets []int64) uint64 {
	total := uint64(0)
	for _, offset := range offsets {
		total += uint64(offset)
	}
	return total
}

// histogram counts durations in classes that are 1/16 of their power of two wide.
type histogram struct {
	counts [64 * 16]uint64
	total  uint64
}

func (h *histogram) record(took time.Duration) {
	ns := uint64(took)
	class := ns
	if power := bits.Len64(ns); power > 5 {
		class = uint64(power-4)*16 + (ns>>(power-5))&15
	}
	h.counts[class]++
	h.total++
}

func (h *histogram) add(other *histogram) {
	for i, count := range other.counts {
		h.counts[i] += count
	}
	h.total += other.total
}

// quantile gives microseconds, the middle of the class.
func (h *histogram) quantile(share float64) float64 {
	left := uint64(share * float64(h.total))
	for class, count := range h.counts {
		if count < left || count == 0 && left > 0 {
			left -= count
			continue
		}
		if count == 0 {
			continue
		}
		if class < 32 {
			return float64(class) / 1000
		}
		power := class/16 + 4
		return (float64(class%16) + 16.5) * float64(uint64(1)<<(power-5)) / 1000
	}
	return 0
}
