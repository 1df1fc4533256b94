// load asks a NameServer or a broker the way clients do, and checks every answer.
//
//	load send  -addr BROKER  -conns 4 -depth 16 -size 128    send messages
//	load transaction -addr BROKER -conns 4 -depth 16         send half messages, commit each
//	load pull  -addr BROKER  -conns 4 -fill 8192             send some, then pull them
//	load route -addr NAMESRV -conns 4 -depth 16              ask for a topic's route
//	load topic -addr BROKER                                  make the topic
//	load probe -addr BROKER                                  until a message is accepted
//	load idle  -addr BROKER  -conns 5000,10000               hold connections
//
// It prints "ready" when it is connected, and begins when it gets a line on its standard input; so
// whoever started it can read the server's clocks in between. At the end, when no answer is
// outstanding, it prints one JSON object. Exit status 1: an answer was wrong or did not come.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

type options struct {
	addr, topic, brokerName          string
	conns, steps                     []int
	depth, size, queues, batch, fill int
	bare                             bool
	seconds                          float64
	subscribedAt                     int64
	commands                         *bufio.Reader
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("expected send, transaction, pull, route, topic, probe or idle"))
	}
	o := options{commands: bufio.NewReader(os.Stdin), subscribedAt: time.Now().UnixMilli()}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:10911", "host:port")
	flags.StringVar(&o.topic, "topic", "BenchTopic", "topic")
	flags.StringVar(&o.brokerName, "broker-name", "broker-a", "what the clients call the broker")
	conns := flags.String("conns", "4", "connections; idle: a rising list")
	flags.IntVar(&o.depth, "depth", 1, "requests in flight on each connection")
	flags.IntVar(&o.size, "size", 128, "bytes of a body, 8 at least")
	flags.IntVar(&o.queues, "queues", 4, "queues of the topic")
	flags.IntVar(&o.batch, "batch", 32, "messages of one pull")
	flags.IntVar(&o.fill, "fill", 8192, "pull: messages to send to each queue before")
	flags.BoolVar(&o.bare, "bare", false, "less than Java clients write: see the bench's help")
	flags.Float64Var(&o.seconds, "seconds", 3, "how long to ask, or to wait for success")
	_ = flags.Parse(os.Args[2:]) // ExitOnError: it does not return an error
	for _, text := range strings.Split(*conns, ",") {
		count, err := strconv.Atoi(text)
		if err != nil || count < 1 || count > 100_000 {
			fail(fmt.Errorf("-conns %q", *conns))
		}
		o.conns = append(o.conns, count)
	}
	if o.size < 8 || o.depth < 1 || o.depth > window || o.batch < 1 || o.queues < 1 || o.fill < o.batch {
		fail(fmt.Errorf("sizes must be positive, depth at most %d, fill at least a batch", window))
	}
	fail(o.run(os.Args[1]))
}

func (o *options) run(mode string) error {
	switch mode {
	case "send", "transaction", "pull", "route":
		return o.load(mode)
	case "topic":
		return o.makeTopic()
	case "probe":
		return o.probe()
	case "idle":
		return o.idle()
	}
	return fmt.Errorf("%q, expected send, transaction, pull, route, topic, probe or idle", mode)
}

func (o *options) language() string {
	if o.bare {
		return "GO"
	}
	return "JAVA"
}

// ready says so and waits for a line.
func (o *options) ready() error {
	fmt.Println("ready")
	_, err := o.commands.ReadString('\n')
	return err
}

func report(result any) error {
	return json.NewEncoder(os.Stdout).Encode(result)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
