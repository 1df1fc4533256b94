import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The polling consumer that came with 4.6, kept alive between commands; ../README.md has the contract. */
final class Lite {
    private static final long POLL_MAX_MS = 20000;
    private static final Map<String, Lite> ALIVE = new HashMap<>();

    private final DefaultLitePullConsumer consumer;
    private final String topic;

    private Lite(Map<String, String> options) throws Exception {
        topic = options.get("topic");
        consumer = new DefaultLitePullConsumer(options.get("group"));
        consumer.setNamesrvAddr(options.get("nameServers"));
        consumer.setInstanceName(options.get("name"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        Driver.set(consumer, options);
        if (!options.containsKey("assign")) {
            consumer.subscribe(topic, options.getOrDefault("tags", "*"));
        }
        consumer.start();
        if (options.containsKey("assign")) {
            consumer.assign(queues(options.get("assign")));
        }
    }

    static void run(String id, String command, Map<String, String> options) throws Exception {
        String name = options.get("name");
        if (command.equals("lite-begin")) {
            ALIVE.put(name, new Lite(options));
            return;
        }
        ALIVE.get(name).obey(id, command, options);
        if (command.equals("lite-stop")) {
            ALIVE.remove(name);
        }
    }

    private void obey(String id, String command, Map<String, String> options) throws Exception {
        switch (command) {
            case "lite-poll": poll(id, options); break;
            case "lite-seek": seek(options); break;
            case "lite-pause": consumer.pause(queues(options.get("queues"))); break;
            case "lite-resume": consumer.resume(queues(options.get("queues"))); break;
            case "lite-offset":
                for (MessageQueue queue : queues(options.get("queues"))) {
                    Driver.emit(id, "offset", "queueId", queue.getQueueId(), "offset",
                        consumer.offsetForTimestamp(queue, Long.parseLong(options.get("at"))));
                }
                break;
            case "lite-commit": consumer.commitSync(); break;
            case "lite-committed":
                for (MessageQueue queue : queues(options.get("queues"))) {
                    Driver.emit(id, "offset", "queueId", queue.getQueueId(), "offset", consumer.committed(queue));
                }
                break;
            case "lite-stop": consumer.shutdown(); break;
            default: throw new IllegalArgumentException("no command " + command);
        }
    }

    /** Until so many came, or for so long. */
    private void poll(String id, Map<String, String> options) {
        int left = Integer.parseInt(options.getOrDefault("count", "1000000"));
        long until = System.currentTimeMillis() + Long.parseLong(options.getOrDefault("ms", String.valueOf(POLL_MAX_MS)));
        while (left > 0 && System.currentTimeMillis() < until) {
            List<MessageExt> messages = consumer.poll(200);
            Driver.received(id, options.get("name"), messages);
            left -= messages.size();
        }
    }

    private void seek(Map<String, String> options) throws Exception {
        for (MessageQueue queue : queues(options.get("queues"))) {
            switch (options.get("to")) {
                case "begin": consumer.seekToBegin(queue); break;
                case "end": consumer.seekToEnd(queue); break;
                default: consumer.seek(queue, Long.parseLong(options.get("to")));
            }
        }
    }

    /** The queues of these ids ("0,2"), or all. */
    private Collection<MessageQueue> queues(String ids) throws Exception {
        Collection<MessageQueue> found = new ArrayList<>();
        for (MessageQueue queue : consumer.fetchMessageQueues(topic)) {
            if (ids.equals("all") || ("," + ids + ",").contains("," + queue.getQueueId() + ",")) {
                found.add(queue);
            }
        }
        return found;
    }
}
