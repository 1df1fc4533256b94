package main

import (
	"fmt"
	"sync"
	"time"
)

// probeEvery is how often a server that is just starting is tried.
const probeEvery = 3 * time.Millisecond

// makeTopic makes the topic, and asks until the broker takes a message for it.
func (o *options) makeTopic() error {
	l, err := connect(o.addr, o.language(), smallBuffer)
	if err != nil {
		return err
	}
	defer l.socket.Close()
	if _, err := l.mustSucceed(createTopic, 1, topicFields(o.topic, o.queues), nil); err != nil {
		return err
	}
	return report(map[string]string{"topic": o.topic})
}

// probe sends a message again and again until one is accepted, and says when that was.
func (o *options) probe() error {
	if err := o.ready(); err != nil {
		return err
	}
	deadline := time.Now().Add(time.Duration(o.seconds * float64(time.Second)))
	var last error
	for ; time.Now().Before(deadline); time.Sleep(probeEvery) {
		if last = o.sendOne(); last == nil {
			return report(map[string]int64{"accepted_at_ns": time.Now().UnixNano()})
		}
	}
	return fmt.Errorf("no message accepted in %.0f s: %w", o.seconds, last)
}

func (o *options) sendOne() error {
	l, err := connect(o.addr, o.language(), smallBuffer)
	if err != nil {
		return err
	}
	defer l.socket.Close()
	message := fresh.Add(1)
	body := make([]byte, o.size)
	fillBody(body, message)
	_, err = l.mustSucceed(sendMessageV2, 1, o.sendFields(nil, 0, message), body)
	return err
}

const (
	clientsOfGroup = 10
	connectingMax  = 64 // at a time, well under the backlog of a listening socket
)

type idleResult struct {
	Held    int     `json:"held"`
	Seconds float64 `json:"seconds"`
}

// idle holds rising numbers of connections that have sent one heartbeat each. After each step it
// reports and waits for a line; at the end every connection must answer once more.
func (o *options) idle() error {
	var links []*link
	defer func() {
		for _, l := range links {
			l.socket.Close()
		}
	}()
	if err := o.ready(); err != nil {
		return err
	}
	for _, count := range o.conns {
		begun := time.Now()
		more := make([]*link, max(0, count-len(links)))
		err := each(len(more), func(i int) (err error) {
			if more[i], err = connect(o.addr, o.language(), smallBuffer); err != nil {
				return err
			}
			return beat(more[i], len(links)+i, 1)
		})
		for _, l := range more {
			if l != nil {
				links = append(links, l)
			}
		}
		if err != nil {
			return fmt.Errorf("%d of %d connections: %w", len(links), count, err)
		}
		if err := report(idleResult{len(links), time.Since(begun).Seconds()}); err != nil {
			return err
		}
		if _, err := o.commands.ReadString('\n'); err != nil {
			return err
		}
	}
	begun := time.Now()
	if err := each(len(links), func(i int) error { return beat(links[i], i, 2) }); err != nil {
		return fmt.Errorf("second heartbeat: %w", err)
	}
	return report(idleResult{len(links), time.Since(begun).Seconds()})
}

func beat(l *link, client, opaque int) error {
	group := fmt.Sprintf("bench_idle_%d", client/clientsOfGroup)
	_, err := l.mustSucceed(heartBeat, opaque, []byte("{}"), heartbeatOfProducer(client, group))
	return err
}

// each runs work for 0..count-1, some at a time, and gives the first error.
func each(count int, work func(int) error) error {
	var group sync.WaitGroup
	slots := make(chan struct{}, connectingMax)
	errs := make([]error, count)
	for i := 0; i < count; i++ {
		slots <- struct{}{}
		group.Add(1)
		go func(i int) {
			defer func() { <-slots; group.Done() }()
			errs[i] = work(i)
		}(i)
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
