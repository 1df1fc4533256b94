import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A stock producer that sends through whatever happens to its broker group, a consumer that goes on through it, and one
 * of all that is there.
 *
 * Steady send NAME_SERVERS TOPIC BROKER_NAME QUEUES PAUSE_MS TIMEOUT_MS POLL_MS
 *   Each queue has a thread that sends 0, 1, 2, ... and repeats a number until it is acknowledged. Until stdin ends.
 *   acked NANOS QUEUE NUMBER ADDRESS    NANOS of System.nanoTime(), ADDRESS of the broker that has it
 *   failed NANOS QUEUE NUMBER REASON    REASON is one word: what was thrown, or a send status
 * Steady select NAME_SERVERS TOPIC BROKER_NAME QUEUES PAUSE_MS TIMEOUT_MS POLL_MS
 *   The same, but only to queues that the route has as writable, as a producer does that names no broker.
 * Steady consume NAME_SERVERS TOPIC BROKER_NAME QUEUES POLL_MS
 *   consumed QUEUE OFFSET NUMBER        for each message as it comes, each queue in order. Until stdin ends.
 * Steady read NAME_SERVERS TOPIC BROKER_NAME QUEUES
 *   found QUEUE OFFSET NUMBER           for each message, in order of the queue's offsets
 * All: the last line is "end".
 */
public final class Steady {
    private static final int BODY_SIZE = 128;
    private static final int READ_COUNT = 32;
    private static final int READ_TRIES = 10;
    private static final int START_TRIES = 5;

    private static final PrintStream OUT = System.out;

    private static volatile boolean stopping = false;

    public static void main(String[] args) throws Exception {
        System.setOut(System.err); // the client's own words are not for our reader
        switch (args[0]) {
            case "send": send(args, false); break;
            case "select": send(args, true); break;
            case "consume": consume(args); break;
            case "read": read(args); break;
            default: throw new IllegalArgumentException(args[0]);
        }
        say("end");
        System.exit(0);
    }

    private static void send(String[] args, boolean selecting) throws Exception {
        final int pauseMs = Integer.parseInt(args[5]);
        final DefaultMQProducer producer = new DefaultMQProducer("steady-producer");
        producer.setNamesrvAddr(args[1]);
        producer.setSendMsgTimeout(Integer.parseInt(args[6]));
        producer.setPollNameServerInterval(Integer.parseInt(args[7]));
        producer.start();
        int queues = Integer.parseInt(args[4]);
        final CountDownLatch open = new CountDownLatch(queues);
        for (int i = 0; i < queues; i++) {
            final MessageQueue queue = new MessageQueue(args[2], args[3], i);
            new Thread(() -> {
                for (int number = 0; !stopping; number++) {
                    while (!sent(producer, queue, number, selecting) && !stopping) {
                        sleep(Math.max(pauseMs, 5));
                    }
                    sleep(pauseMs);
                }
                open.countDown();
            }).start();
        }
        untilAskedToStop();
        stopping = true;
        open.await();
    }

    private static void untilAskedToStop() throws Exception {
        while (System.in.read() >= 0) {
            continue;
        }
    }

    private static boolean sent(DefaultMQProducer producer, MessageQueue queue, int number, boolean selecting) {
        String place = queue.getQueueId() + " " + number;
        String why;
        try {
            StringBuilder body = new StringBuilder(place + " ");
            while (body.length() < BODY_SIZE) {
                body.append('.');
            }
            Message message = new Message(queue.getTopic(), body.toString().getBytes(StandardCharsets.US_ASCII));
            SendResult result = selecting
                ? producer.send(message, (queues, asked, nothing) -> queues.get(queues.indexOf(queue)), null)
                : producer.send(message, queue);
            long now = System.nanoTime();
            if (result.getSendStatus() == SendStatus.SEND_OK) {
                say("acked " + now + " " + place + " " + address(result.getOffsetMsgId()));
                return true;
            }
            why = result.getSendStatus().name();
        } catch (Exception caught) {
            why = caught.getClass().getSimpleName();
        }
        say("failed " + System.nanoTime() + " " + place + " " + why);
        return false;
    }

    /** The address that an offset message id begins with. */
    private static String address(String id) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i += 2) {
            text.append(i == 0 ? "" : ".").append(Integer.parseInt(id.substring(i, i + 2), 16));
        }
        return text + ":" + Integer.parseInt(id.substring(8, 16), 16);
    }

    private static void consume(String[] args) throws Exception {
        System.setProperty("rocketmq.client.rebalance.waitInterval", "1000");
        System.setProperty("rocketmq.client.rebalance.lockInterval", "1000");
        DefaultMQPushConsumer consumer = null;
        for (int tries = 1; consumer == null; tries++) {
            try {
                consumer = listening(args);
            } catch (IllegalStateException late) { // a start gives the NameServer 3 s, and the machine may be busy
                if (tries == START_TRIES) {
                    throw late;
                }
            }
        }
        untilAskedToStop();
        consumer.shutdown();
    }

    private static DefaultMQPushConsumer listening(String[] args) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("steady-listener");
        consumer.setInstanceName("listener-" + System.nanoTime());
        consumer.setNamesrvAddr(args[1]);
        consumer.setPollNameServerInterval(Integer.parseInt(args[5]));
        consumer.setHeartbeatBrokerInterval(1000);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(args[2], "*");
        consumer.registerMessageListener(new MessageListenerOrderly() {
            @Override
            public ConsumeOrderlyStatus consumeMessage(List<MessageExt> messages, ConsumeOrderlyContext context) {
                for (MessageExt message : messages) {
                    say("consumed " + message.getQueueId() + " " + message.getQueueOffset() + " " + number(message));
                }
                return ConsumeOrderlyStatus.SUCCESS;
            }
        });
        consumer.start();
        return consumer;
    }

    private static String number(MessageExt message) {
        return new String(message.getBody(), StandardCharsets.US_ASCII).split(" ")[1];
    }

    private static void read(String[] args) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer("steady-consumer");
        consumer.setNamesrvAddr(args[1]);
        consumer.start();
        consumer.fetchSubscribeMessageQueues(args[2]);
        for (int i = 0; i < Integer.parseInt(args[4]); i++) {
            MessageQueue queue = new MessageQueue(args[2], args[3], i);
            long end = consumer.maxOffset(queue);
            long at = consumer.minOffset(queue);
            for (int tries = 0; at < end;) {
                PullResult result;
                try {
                    result = consumer.pull(queue, "*", at, READ_COUNT);
                } catch (Exception caught) {
                    if (++tries == READ_TRIES) {
                        throw caught;
                    }
                    sleep(1000);
                    continue;
                }
                if (result.getPullStatus() == PullStatus.FOUND) {
                    for (MessageExt message : result.getMsgFoundList()) {
                        say("found " + i + " " + message.getQueueOffset() + " " + number(message));
                    }
                } else if (result.getNextBeginOffset() <= at && ++tries == READ_TRIES) {
                    throw new IllegalStateException(result + " of queue " + i + " at " + at + " of " + end);
                }
                at = result.getNextBeginOffset();
            }
        }
    }

    private static synchronized void say(String line) {
        OUT.println(line);
    }

    private static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
