// Driver is the stock Go client, told by lines on stdin what to do; ../README.md has the contract.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const (
	batchMax    = 10
	inFlightMax = 64
	patience    = 30 * time.Second
	announced   = 2 * time.Second
)

type event map[string]interface{}

type driver struct {
	nameServers []string
	producer    rocketmq.Producer
	consumers   map[string]rocketmq.PushConsumer
	transactors map[string]*transactor
}

// transactor produces transactions, and says how each ends.
type transactor struct {
	rocketmq.TransactionProducer
	name, check string
	outcome     string
}

var output sync.Mutex

func emit(id, name string, fields event) {
	if fields == nil {
		fields = event{}
	}
	fields["id"], fields["event"] = id, name
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// resolve gives addresses: this client takes no host names.
func resolve(nameServers string) ([]string, error) {
	var addresses []string
	for _, one := range strings.Split(nameServers, ";") {
		host, port, err := net.SplitHostPort(one)
		if err != nil {
			return nil, err
		}
		found, err := net.LookupHost(host)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, net.JoinHostPort(found[0], port))
	}
	return addresses, nil
}

func main() {
	rlog.SetLogLevel("error")
	addresses, err := resolve(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	d := &driver{
		nameServers: addresses,
		consumers:   map[string]rocketmq.PushConsumer{},
		transactors: map[string]*transactor{},
	}
	good := true
	if len(os.Args) > 2 {
		good = d.obey("0 " + strings.Join(os.Args[2:], " "))
	} else {
		emit("0", "ready", nil)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() && !strings.HasSuffix(lines.Text(), " quit") {
			good = d.obey(lines.Text()) && good
		}
	}
	d.close()
	if !good {
		os.Exit(1)
	}
}

// obey does what one line says and ends it by one event, done or error.
func (d *driver) obey(line string) bool {
	words := strings.Fields(line)
	options := map[string]string{}
	for _, word := range words[2:] {
		pair := strings.SplitN(word, "=", 2)
		value, err := url.QueryUnescape(pair[1])
		if err != nil {
			panic(err)
		}
		options[pair[0]] = value
	}
	var err error
	switch words[1] {
	case "send":
		err = d.send(words[0], options)
	case "push":
		err = d.push(options)
	case "stop":
		err = d.stop(options["name"])
	case "request":
		err = d.request(words[0], options)
	case "begin":
		err = d.begin(options)
	case "transact":
		err = d.transact(words[0], options)
	case "pull":
		err = d.pull(words[0], options)
	case "create-topic":
		err = d.createTopic(options)
	default:
		err = fmt.Errorf("no command %s", words[1])
	}
	if err != nil {
		emit(words[0], "error", event{"type": fmt.Sprintf("%T", err), "message": err.Error()})
		return false
	}
	emit(words[0], "done", nil)
	return true
}

func (d *driver) started() (rocketmq.Producer, error) {
	if d.producer != nil {
		return d.producer, nil
	}
	made, err := rocketmq.NewProducer(
		producer.WithNameServer(d.nameServers),
		producer.WithGroupName("compat-producer"),
		producer.WithInstanceName(fmt.Sprintf("producer-%d", time.Now().UnixNano())),
		producer.WithSendMsgTimeout(10*time.Second),
	)
	if err != nil {
		return nil, err
	}
	if err = made.Start(); err == nil {
		d.producer = made
	}
	return made, err
}

func optional(options map[string]string, name, otherwise string) string {
	if value, found := options[name]; found {
		return value
	}
	return otherwise
}

func messages(options map[string]string) ([]*primitive.Message, error) {
	count, err := strconv.Atoi(optional(options, "count", "1"))
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(optional(options, "size", "0"))
	if err != nil {
		return nil, err
	}
	tags := strings.Split(options["tags"], ",")
	var all []*primitive.Message
	for i := 0; i < count; i++ {
		body := fmt.Sprintf("%s-%d", optional(options, "body", "body"), i)
		if len(body) < size {
			body += strings.Repeat(".", size-len(body))
		}
		message := primitive.NewMessage(options["topic"], []byte(body))
		if tag := tags[i%len(tags)]; tag != "" {
			message.WithTag(tag)
		}
		if keys, found := options["keys"]; found {
			message.WithKeys([]string{fmt.Sprintf("%s-%d", keys, i)})
		}
		if property, found := options["property"]; found {
			message.WithProperty("compat", property)
		}
		all = append(all, message)
	}
	return all, nil
}

func (d *driver) send(id string, options map[string]string) error {
	all, err := messages(options)
	if err != nil {
		return err
	}
	sender, err := d.started()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	switch mode := optional(options, "mode", "sync"); mode {
	case "sync":
		for _, message := range all {
			result, err := sender.SendSync(ctx, message)
			if err != nil {
				return err
			}
			sent(id, result, message)
		}
	case "oneway":
		for _, message := range all {
			if err := sender.SendOneWay(ctx, message); err != nil {
				return err
			}
		}
	case "batch":
		for from := 0; from < len(all); from += batchMax {
			to := from + batchMax
			if to > len(all) {
				to = len(all)
			}
			result, err := sender.SendSync(ctx, all[from:to]...)
			if err != nil {
				return err
			}
			sent(id, result, all[from:to]...)
		}
	case "async":
		return sendAsync(ctx, sender, id, all)
	default:
		return fmt.Errorf("mode %s", mode)
	}
	return nil
}

func sendAsync(ctx context.Context, sender rocketmq.Producer, id string, all []*primitive.Message) error {
	failures := make(chan error, len(all))
	permits := make(chan struct{}, inFlightMax)
	for _, message := range all {
		message := message
		permits <- struct{}{}
		err := sender.SendAsync(ctx, func(_ context.Context, result *primitive.SendResult, err error) {
			if err == nil {
				sent(id, result, message)
			}
			failures <- err
			<-permits
		}, message)
		if err != nil {
			return err
		}
	}
	for range all {
		select {
		case err := <-failures:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func sent(id string, result *primitive.SendResult, all ...*primitive.Message) {
	status := "SEND_OK"
	if result.Status != primitive.SendOK {
		status = strconv.Itoa(int(result.Status))
	}
	offsetMsgIDs := strings.Split(result.OffsetMsgID, ",")
	for i, message := range all {
		// Of a batch this client gives one id, or none.
		emit(id, "sent", event{
			"status": status, "msgId": result.MsgID, "offsetMsgId": offsetMsgIDs[i],
			"broker": result.MessageQueue.BrokerName, "queueId": result.MessageQueue.QueueId,
			"offset": result.QueueOffset + int64(i), "body": string(message.Body),
		})
	}
}

func received(id, name string, all []*primitive.MessageExt) {
	for _, message := range all {
		emit(id, "received", event{
			"consumer": name, "topic": message.Topic, "msgId": message.MsgId, "queueId": message.Queue.QueueId,
			"offset": message.QueueOffset, "position": message.CommitLogOffset, "tags": message.GetTags(),
			"keys": message.GetKeys(), "body": string(message.Body), "property": message.GetProperty("compat"),
			"storeHost": message.StoreHost, "reconsumeTimes": message.ReconsumeTimes,
		})
	}
}

func (d *driver) push(options map[string]string) error {
	name := options["name"]
	made, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(d.nameServers),
		consumer.WithGroupName(options["group"]),
		consumer.WithInstance(name),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: optional(options, "tags", "*")}
	err = made.Subscribe(options["topic"], selector,
		func(_ context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			received("0", name, all)
			if prefix, found := options["reply"]; found {
				for _, message := range all {
					d.answer(name, prefix, message)
				}
			}
			return consumer.ConsumeSuccess, nil
		})
	if err != nil {
		return err
	}
	if _, found := options["reply"]; found {
		if _, err = d.started(); err != nil {
			return err
		}
	}
	d.consumers[name] = made
	return made.Start()
}

// answer sends a reply to who sent a request.
func (d *driver) answer(name, prefix string, message *primitive.MessageExt) {
	body := []byte(prefix + string(message.Body))
	reply, err := consumer.CreateReplyMessage(message, nil)
	if err == nil {
		reply.Body = body // this client's own helper takes a body for properties
		var result *primitive.SendResult
		if result, err = d.producer.SendSync(context.Background(), reply); err == nil {
			status := "SEND_OK"
			if result.Status != primitive.SendOK {
				status = strconv.Itoa(int(result.Status))
			}
			emit("0", "answered", event{"consumer": name, "status": status, "topic": reply.Topic})
			return
		}
	}
	emit("0", "unanswered", event{"consumer": name, "message": err.Error()})
}

// request asks and waits for each answer; told to die, it ends as kill -9 does.
func (d *driver) request(id string, options map[string]string) error {
	all, err := messages(options)
	if err != nil {
		return err
	}
	sender, err := d.started()
	if err != nil {
		return err
	}
	// A second after its start, and then each 30 s, this client tells the brokers it knows where to
	// push answers. Sending makes it know them.
	first := primitive.NewMessage(options["topic"]+"-before", []byte("before"))
	if _, err := sender.SendSync(context.Background(), first); err != nil {
		return err
	}
	time.Sleep(announced)
	if die, found := options["die"]; found {
		ms, err := strconv.Atoi(die)
		if err != nil {
			return err
		}
		time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { os.Exit(137) })
	}
	for _, message := range all {
		reply, err := sender.Request(context.Background(), patience, message)
		if err != nil {
			return err
		}
		emit(id, "answer", event{"topic": reply.Topic, "body": string(reply.Body)})
	}
	return nil
}

func (d *driver) stop(name string) error {
	if one, found := d.consumers[name]; found {
		delete(d.consumers, name)
		return one.Shutdown()
	}
	one := d.transactors[name]
	delete(d.transactors, name)
	return one.Shutdown()
}

func (d *driver) begin(options map[string]string) error {
	one := &transactor{name: options["name"], check: options["check"]}
	made, err := rocketmq.NewTransactionProducer(one,
		producer.WithNameServer(d.nameServers),
		producer.WithGroupName(options["group"]),
		producer.WithInstanceName(one.name),
		producer.WithSendMsgTimeout(10*time.Second),
	)
	if err != nil {
		return err
	}
	one.TransactionProducer = made
	d.transactors[one.name] = one
	return made.Start()
}

func (d *driver) transact(id string, options map[string]string) error {
	all, err := messages(options)
	if err != nil {
		return err
	}
	one := d.transactors[options["name"]]
	outcomes := strings.Split(options["outcomes"], ",")
	for i, message := range all {
		one.outcome = outcomes[i%len(outcomes)]
		result, err := one.SendMessageInTransaction(context.Background(), message)
		if err != nil {
			return err
		}
		sent(id, result.SendResult, message)
	}
	return nil
}

// ExecuteLocalTransaction runs between half message and end; to die is to end as kill -9 does.
func (t *transactor) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	emit("0", "executed", event{
		"producer": t.name, "transactionId": message.TransactionId, "body": string(message.Body),
	})
	if t.outcome == "die" {
		os.Exit(137)
	}
	return state(t.outcome)
}

// CheckLocalTransaction answers the broker's question.
func (t *transactor) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	emit("0", "checked", event{
		"producer": t.name, "topic": message.Topic, "queueId": message.Queue.QueueId, "msgId": message.MsgId,
		"transactionId": message.GetProperty(primitive.PropertyUniqueClientMessageIdKeyIndex),
		"tags":          message.GetTags(), "body": string(message.Body),
	})
	return state(t.check)
}

func state(outcome string) primitive.LocalTransactionState {
	switch outcome {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

// pull polls until count messages came or patience ended.
func (d *driver) pull(id string, options map[string]string) error {
	left, err := strconv.Atoi(options["count"])
	if err != nil {
		return err
	}
	made, err := rocketmq.NewPullConsumer(
		consumer.WithNameServer(d.nameServers),
		consumer.WithGroupName(options["group"]),
		consumer.WithInstance(fmt.Sprintf("pull-%d", time.Now().UnixNano())),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: optional(options, "tags", "*")}
	if err = made.Subscribe(options["topic"], selector); err != nil {
		return err
	}
	if err = made.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); left > 0 && time.Now().Before(deadline); {
		request, err := made.Poll(context.Background(), time.Second)
		if err != nil {
			continue
		}
		received(id, "pull", request.GetMsgList())
		left -= len(request.GetMsgList())
		made.ACK(context.Background(), request, consumer.ConsumeSuccess)
	}
	return made.Shutdown()
}

func (d *driver) createTopic(options map[string]string) error {
	made, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(d.nameServers)))
	if err != nil {
		return err
	}
	queues, err := strconv.Atoi(optional(options, "queues", "4"))
	if err != nil {
		return err
	}
	address, err := resolve(options["broker"])
	if err != nil {
		return err
	}
	return made.CreateTopic(context.Background(), admin.WithTopicCreate(options["topic"]),
		admin.WithBrokerAddrCreate(address[0]), admin.WithReadQueueNums(queues), admin.WithWriteQueueNums(queues))
}

func (d *driver) close() {
	for _, one := range d.consumers {
		_ = one.Shutdown()
	}
	for _, one := range d.transactors {
		_ = one.Shutdown()
	}
	if d.producer != nil {
		_ = d.producer.Shutdown()
	}
}
