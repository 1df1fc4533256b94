import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A stock Java client, told by lines on stdin what to do; ../README.md has the contract.
 *
 * One source serves every generation of the client: com.alibaba's is made from it by replacing the
 * package, and what only some generations have is reached by reflection.
 */
public final class Driver {
    private static final int BATCH_MAX = 10;
    private static final int IN_FLIGHT_MAX = 64;
    private static final PrintStream OUT = System.out;

    private final String nameServers;
    private final Map<String, DefaultMQPushConsumer> consumers = new HashMap<>();
    private final Map<String, TransactionMQProducer> transactors = new HashMap<>();
    private final Map<String, DefaultMQProducer> producers = new HashMap<>();

    private Driver(String nameServers) {
        this.nameServers = nameServers;
    }

    /** Arguments: the name servers (host:port;host:port), then nothing (read stdin) or one command. */
    public static void main(String[] args) throws Exception {
        Driver driver = new Driver(args[0]);
        boolean good = true;
        if (args.length > 1) {
            StringBuilder line = new StringBuilder("0");
            for (int i = 1; i < args.length; i++) {
                line.append(' ').append(args[i]);
            }
            good = driver.obey(line.toString());
        } else {
            emit("0", "ready");
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.endsWith(" quit")) {
                    break;
                }
                good &= driver.obey(line);
            }
        }
        driver.close();
        System.exit(good ? 0 : 1);
    }

    /** Do what one line says and end it by one event, done or error. */
    private boolean obey(String line) throws Exception {
        String[] words = line.trim().split(" +");
        String id = words[0];
        Map<String, String> options = new HashMap<>();
        for (int i = 2; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            options.put(pair[0], URLDecoder.decode(pair[1], "UTF-8"));
        }
        try {
            run(id, words[1], options);
            emit(id, "done");
            return true;
        } catch (Throwable caught) {
            Throwable cause = caught instanceof InvocationTargetException ? caught.getCause() : caught;
            emit(id, "error", "type", cause.getClass().getSimpleName(), "message", String.valueOf(cause.getMessage()));
            cause.printStackTrace();
            return false;
        }
    }

    private void run(String id, String command, Map<String, String> options) throws Exception {
        switch (command) {
            case "send": send(id, options); break;
            case "push": push(options); break;
            case "stop": stop(options.get("name")); break;
            case "request": request(id, options); break;
            case "begin": begin(options); break;
            case "transact": transact(id, options); break;
            case "pull": pull(id, options); break;
            case "lite-pull": litePull(id, options); break;
            case "query-key": queryKey(id, options); break;
            case "query-id": view(id, options); break;
            case "create-topic": createTopic(options); break;
            default: other(id, command, options);
        }
    }

    /** Commands for what newer clients have alone are in a class that is compiled for these. */
    private void other(String id, String command, Map<String, String> options) throws Exception {
        if (!command.startsWith("lite-")) {
            throw new IllegalArgumentException("no command " + command);
        }
        options.put("nameServers", nameServers);
        Class.forName("Lite").getDeclaredMethod("run", String.class, String.class, Map.class).invoke(null, id, command, options);
    }

    /** Common settings, whoever asks. */
    private DefaultMQProducer producer() throws Exception {
        return producer(new HashMap<String, String>());
    }

    /** One producer for each choice of settings. */
    private synchronized DefaultMQProducer producer(Map<String, String> options) throws Exception {
        String key = settings(options).toString() + options.get("trace");
        if (!producers.containsKey(key)) {
            DefaultMQProducer producer = options.containsKey("trace")
                ? DefaultMQProducer.class.getConstructor(String.class, boolean.class).newInstance("compat-tracer", true)
                : new DefaultMQProducer("compat-producer");
            producer.setNamesrvAddr(nameServers);
            producer.setInstanceName("producer-" + System.nanoTime());
            producer.setSendMsgTimeout(10000);
            set(producer, options);
            producer.start();
            producers.put(key, producer);
        }
        return producers.get(key);
    }

    /** The options set.NAME=VALUE, without "set.". */
    private static Map<String, String> settings(Map<String, String> options) {
        Map<String, String> found = new TreeMap<>();
        for (Map.Entry<String, String> option : options.entrySet()) {
            if (option.getKey().startsWith("set.")) {
                found.put(option.getKey().substring(4), option.getValue());
            }
        }
        return found;
    }

    /** Call a client's setNAME for each option set.NAME=VALUE. */
    static void set(Object client, Map<String, String> options) throws Exception {
        for (Map.Entry<String, String> setting : settings(options).entrySet()) {
            String name = "set" + setting.getKey().substring(0, 1).toUpperCase() + setting.getKey().substring(1);
            boolean known = false;
            for (Method method : client.getClass().getMethods()) {
                if (method.getName().equals(name) && method.getParameterTypes().length == 1) {
                    method.invoke(client, value(method.getParameterTypes()[0], setting.getValue()));
                    known = true;
                }
            }
            if (!known) {
                throw new IllegalArgumentException("this client has no " + name);
            }
        }
    }

    private static Object value(Class<?> kind, String text) throws Exception {
        if (kind == boolean.class) {
            return Boolean.valueOf(text);
        } else if (kind == int.class) {
            return Integer.valueOf(text);
        } else if (kind == long.class) {
            return Long.valueOf(text);
        } else if (kind == String.class) {
            return text;
        }
        return kind.getField(text).get(null);
    }

    private void send(final String id, Map<String, String> options) throws Exception {
        int count = Integer.parseInt(options.getOrDefault("count", "1"));
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            messages.add(message(i, options));
        }
        switch (options.getOrDefault("mode", "sync")) {
            case "sync":
                for (Message message : messages) {
                    sent(id, producer(options).send(message), message);
                }
                break;
            case "oneway":
                for (Message message : messages) {
                    producer(options).sendOneway(message);
                }
                break;
            case "async": sendAsync(id, producer(options), messages); break;
            case "batch": sendBatches(id, producer(options), messages); break;
            default: throw new IllegalArgumentException("mode " + options.get("mode"));
        }
    }

    private static Message message(int index, Map<String, String> options) throws Exception {
        String[] tags = options.getOrDefault("tags", "").split(",");
        StringBuilder body = new StringBuilder(options.getOrDefault("body", "body") + "-" + index);
        int size = Integer.parseInt(options.getOrDefault("size", "0"));
        while (body.length() < size) {
            body.append('.');
        }
        Message message = new Message(options.get("topic"), tags[index % tags.length], body.toString().getBytes("UTF-8"));
        if (options.containsKey("keys")) {
            message.setKeys(options.get("keys") + "-" + index);
        }
        if (options.containsKey("property")) {
            message.putUserProperty("compat", options.get("property"));
        }
        if (options.containsKey("delay")) {
            message.setDelayTimeLevel(Integer.parseInt(options.get("delay")));
        }
        return message;
    }

    private void sendAsync(final String id, DefaultMQProducer producer, List<Message> messages) throws Exception {
        final CountDownLatch open = new CountDownLatch(messages.size());
        final Semaphore permits = new Semaphore(IN_FLIGHT_MAX);
        final List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<Throwable>());
        for (final Message message : messages) {
            permits.acquire();
            producer.send(message, new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    sent(id, result, message);
                    permits.release();
                    open.countDown();
                }

                @Override
                public void onException(Throwable cause) {
                    failures.add(cause);
                    permits.release();
                    open.countDown();
                }
            });
        }
        if (!open.await(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException(open.getCount() + " sends unanswered");
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException(failures.size() + " sends failed", failures.get(0));
        }
    }

    /** Batches came with 4.1, so the method is looked up. */
    private void sendBatches(String id, DefaultMQProducer producer, List<Message> messages) throws Exception {
        Method send = DefaultMQProducer.class.getMethod("send", Collection.class);
        for (int from = 0; from < messages.size(); from += BATCH_MAX) {
            List<Message> batch = new ArrayList<>(messages.subList(from, Math.min(from + BATCH_MAX, messages.size())));
            SendResult result = (SendResult) send.invoke(producer, batch);
            String[] msgIds = result.getMsgId().split(",");
            String[] offsetMsgIds = result.getOffsetMsgId().split(",");
            for (int i = 0; i < batch.size(); i++) {
                emit(id, "sent", "status", result.getSendStatus().name(), "msgId", msgIds[i], "offsetMsgId",
                    offsetMsgIds[i], "broker", result.getMessageQueue().getBrokerName(), "queueId",
                    result.getMessageQueue().getQueueId(), "offset", result.getQueueOffset() + i, "body",
                    new String(batch.get(i).getBody(), "UTF-8"));
            }
        }
    }

    private static void sent(String id, SendResult result, Message message) {
        emit(id, "sent", "status", result.getSendStatus().name(), "msgId", result.getMsgId(), "offsetMsgId",
            result.getOffsetMsgId(), "broker", result.getMessageQueue().getBrokerName(), "queueId",
            result.getMessageQueue().getQueueId(), "offset", result.getQueueOffset(), "body", text(message.getBody()));
    }

    /** By SQL92, which clients older than 4.1 do not know. */
    private static void subscribe(DefaultMQPushConsumer consumer, String topic, String sql) throws Exception {
        Class<?> selector = Class.forName(DefaultMQPushConsumer.class.getPackage().getName() + ".MessageSelector");
        Object bySql = selector.getMethod("bySql", String.class).invoke(null, sql);
        DefaultMQPushConsumer.class.getMethod("subscribe", String.class, selector).invoke(consumer, topic, bySql);
    }

    private void push(final Map<String, String> options) throws Exception {
        final String name = options.get("name");
        DefaultMQPushConsumer consumer = options.containsKey("trace")
            ? DefaultMQPushConsumer.class.getConstructor(String.class, boolean.class).newInstance(options.get("group"), true)
            : new DefaultMQPushConsumer(options.get("group"));
        consumer.setNamesrvAddr(nameServers);
        consumer.setInstanceName(name);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        set(consumer, options);
        if (options.containsKey("sql")) {
            subscribe(consumer, options.get("topic"), options.get("sql"));
        } else {
            consumer.subscribe(options.get("topic"), options.getOrDefault("tags", "*"));
        }
        final int later = Integer.parseInt(options.getOrDefault("later", "0"));
        if (options.containsKey("tries")) {
            consumer.setMaxReconsumeTimes(Integer.parseInt(options.get("tries")));
        }
        if (options.containsKey("orderly")) {
            consumer.registerMessageListener(new MessageListenerOrderly() {
                @Override
                public ConsumeOrderlyStatus consumeMessage(List<MessageExt> messages, ConsumeOrderlyContext context) {
                    received("0", name, messages);
                    return messages.get(0).getReconsumeTimes() < later
                        ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
                }
            });
        } else {
            consumer.registerMessageListener(new MessageListenerConcurrently() {
                @Override
                public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
                    received("0", name, messages);
                    if (options.containsKey("reply")) {
                        reply(name, messages, options.get("reply"));
                    }
                    return messages.get(0).getReconsumeTimes() < later
                        ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
                }
            });
        }
        consumer.start();
        consumers.put(name, consumer);
        // A start that meets the client's own heartbeat does not look for its queues, and here the
        // next look may be minutes away: so look once more when that heartbeat is over.
        Thread.sleep(500);
        consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().rebalanceImmediately();
    }

    /** Answer each message that asks for it, since 4.6. */
    private void reply(String name, List<MessageExt> messages, String prefix) {
        for (MessageExt message : messages) {
            try {
                Message reply = (Message) Class.forName("org.apache.rocketmq.client.utils.MessageUtil")
                    .getMethod("createReplyMessage", Message.class, byte[].class)
                    .invoke(null, message, (prefix + text(message.getBody())).getBytes("UTF-8"));
                SendResult result = producer().send(reply);
                emit("0", "answered", "consumer", name, "status", result.getSendStatus().name(), "topic", reply.getTopic());
            } catch (Exception caught) {
                Throwable cause = caught;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                emit("0", "unanswered", "consumer", name, "message", String.valueOf(cause.getMessage()));
            }
        }
    }

    /**
     * Ask and wait for the answer, or ask and die before it comes; since 4.6.
     *
     * 5.3.3 calls back with nothing when the request is stored, and its blocking form then gives up;
     * or it calls back twice with one answer, if that comes before the client knows of the storing.
     */
    private void request(String id, final Map<String, String> options) throws Exception {
        int count = Integer.parseInt(options.getOrDefault("count", "1"));
        Class<?> kind = Class.forName(SendCallback.class.getPackage().getName() + ".RequestCallback");
        final java.util.concurrent.BlockingQueue<Object> answers = new java.util.concurrent.LinkedBlockingQueue<>();
        final Map<Object, Boolean> known = java.util.Collections.synchronizedMap(new java.util.IdentityHashMap<Object, Boolean>());
        Object callback = Proxy.newProxyInstance(Driver.class.getClassLoader(), new Class<?>[] {kind}, new InvocationHandler() {
            @Override
            public Object invoke(Object proxy, Method method, Object[] arguments) {
                if (arguments[0] != null && known.put(arguments[0], true) == null) {
                    answers.add(arguments[0]);
                }
                return null;
            }
        });
        Method request = DefaultMQProducer.class.getMethod("request", Message.class, kind, long.class);
        for (int i = 0; i < count; i++) {
            request.invoke(producer(), message(i, options), callback, 20000L);
            if (options.containsKey("die")) {
                Thread.sleep(Long.parseLong(options.get("die")));
                Runtime.getRuntime().halt(137);
            }
            Object answer = answers.poll(20, TimeUnit.SECONDS);
            if (!(answer instanceof Message)) {
                throw new IllegalStateException("no answer", (Throwable) answer);
            }
            emit(id, "answer", "topic", ((Message) answer).getTopic(), "body", text(((Message) answer).getBody()));
        }
    }

    private void stop(String name) {
        if (consumers.containsKey(name)) {
            consumers.remove(name).shutdown();
        } else {
            transactors.remove(name).shutdown();
        }
    }

    /** A producer of transactions, since 4.3; the listener's two methods differ by their number of arguments. */
    private void begin(final Map<String, String> options) throws Exception {
        final String name = options.get("name");
        Class<?> kind = Class.forName(TransactionMQProducer.class.getPackage().getName() + ".TransactionListener");
        Object listener = Proxy.newProxyInstance(Driver.class.getClassLoader(), new Class<?>[] {kind}, new InvocationHandler() {
            @Override
            public Object invoke(Object proxy, Method method, Object[] arguments) {
                if (method.getName().equals("executeLocalTransaction")) {
                    return executed(name, (Message) arguments[0], (String) arguments[1]);
                }
                MessageExt message = (MessageExt) arguments[0];
                emit("0", "checked", "producer", name, "topic", message.getTopic(), "queueId", message.getQueueId(), "msgId",
                    message.getMsgId(), "transactionId", message.getProperty("UNIQ_KEY"), "tags", message.getTags(), "body",
                    text(message.getBody()));
                return state(options.get("check"));
            }
        });
        TransactionMQProducer producer = new TransactionMQProducer(options.get("group"));
        producer.setNamesrvAddr(nameServers);
        producer.setInstanceName(name);
        producer.setSendMsgTimeout(10000);
        producer.setHeartbeatBrokerInterval(1000);
        TransactionMQProducer.class.getMethod("setTransactionListener", kind).invoke(producer, listener);
        producer.start();
        transactors.put(name, producer);
    }

    /** What happens between half message and end. To die is to end the process as kill -9 does. */
    private static LocalTransactionState executed(String name, Message message, String outcome) {
        emit("0", "executed", "producer", name, "transactionId", message.getProperty("UNIQ_KEY"), "body", text(message.getBody()));
        if (outcome.equals("die")) {
            Runtime.getRuntime().halt(137);
        }
        return state(outcome);
    }

    private static LocalTransactionState state(String outcome) {
        switch (outcome) {
            case "commit": return LocalTransactionState.COMMIT_MESSAGE;
            case "rollback": return LocalTransactionState.ROLLBACK_MESSAGE;
            case "unknown": return LocalTransactionState.UNKNOW;
            default: throw new IllegalArgumentException("outcome " + outcome);
        }
    }

    private void transact(String id, Map<String, String> options) throws Exception {
        Method send = TransactionMQProducer.class.getMethod("sendMessageInTransaction", Message.class, Object.class);
        String[] outcomes = options.get("outcomes").split(",");
        int count = Integer.parseInt(options.getOrDefault("count", "1"));
        for (int i = 0; i < count; i++) {
            Message message = message(i, options);
            sent(id, (SendResult) send.invoke(transactors.get(options.get("name")), message, outcomes[i % outcomes.length]), message);
        }
    }

    private void pull(String id, Map<String, String> options) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(options.get("group"));
        consumer.setNamesrvAddr(nameServers);
        consumer.setInstanceName("pull-" + System.nanoTime());
        consumer.start();
        try {
            for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(options.get("topic"))) {
                long offset = consumer.minOffset(queue);
                for (boolean more = true; more; ) {
                    PullResult result = consumer.pull(queue, options.getOrDefault("tags", "*"), offset, 32);
                    if (result.getPullStatus() == PullStatus.FOUND) {
                        received(id, "pull", result.getMsgFoundList());
                    }
                    more = result.getPullStatus() != PullStatus.NO_NEW_MSG && result.getNextBeginOffset() > offset;
                    offset = result.getNextBeginOffset();
                }
                emit(id, "queue", "queueId", queue.getQueueId(), "broker", queue.getBrokerName(), "min",
                    consumer.minOffset(queue), "max", consumer.maxOffset(queue));
            }
        } finally {
            consumer.shutdown();
        }
    }

    /** The pull consumer that came with 4.6: polls until nothing came for idle_ms after something did. */
    private void litePull(String id, Map<String, String> options) throws Exception {
        Class<?> kind = Class.forName("org.apache.rocketmq.client.consumer.DefaultLitePullConsumer");
        Object consumer = kind.getConstructor(String.class).newInstance(options.get("group"));
        kind.getMethod("setNamesrvAddr", String.class).invoke(consumer, nameServers);
        kind.getMethod("setInstanceName", String.class).invoke(consumer, "lite-" + System.nanoTime());
        kind.getMethod("setConsumeFromWhere", ConsumeFromWhere.class)
            .invoke(consumer, ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        kind.getMethod("subscribe", String.class, String.class)
            .invoke(consumer, options.get("topic"), options.getOrDefault("tags", "*"));
        kind.getMethod("start").invoke(consumer);
        try {
            Method poll = kind.getMethod("poll", long.class);
            int left = Integer.parseInt(options.get("count"));
            long deadline = System.currentTimeMillis() + 30000;
            while (left > 0 && System.currentTimeMillis() < deadline) {
                @SuppressWarnings("unchecked")
                List<MessageExt> messages = (List<MessageExt>) poll.invoke(consumer, 1000L);
                received(id, "lite-pull", messages);
                left -= messages.size();
            }
            kind.getMethod("commitSync").invoke(consumer);
        } finally {
            kind.getMethod("shutdown").invoke(consumer);
        }
    }

    private void queryKey(String id, Map<String, String> options) throws Exception {
        long now = System.currentTimeMillis();
        received(id, "query-key", producer()
            .queryMessage(options.get("topic"), options.get("key"), 32, now - 3600000, now + 3600000).getMessageList());
    }

    /** By offset id or by unique key, as the client itself tells them apart. */
    private void view(String id, Map<String, String> options) throws Exception {
        received(id, "query-id", java.util.Collections.singletonList(
            (MessageExt) producer().viewMessage(options.get("topic"), options.get("msgId"))));
    }

    /** The 5.x method has a map of attributes more. */
    private void createTopic(Map<String, String> options) throws Exception {
        int queues = Integer.parseInt(options.getOrDefault("queues", "4"));
        String near = options.getOrDefault("near", "TBW102");
        try {
            DefaultMQProducer.class.getMethod("createTopic", String.class, String.class, int.class)
                .invoke(producer(), near, options.get("topic"), queues);
        } catch (NoSuchMethodException newer) {
            DefaultMQProducer.class.getMethod("createTopic", String.class, String.class, int.class, Map.class)
                .invoke(producer(), near, options.get("topic"), queues, new HashMap<String, String>());
        }
    }

    static void received(String id, String consumer, List<MessageExt> messages) {
        for (MessageExt message : messages) {
            emit(id, "received", "consumer", consumer, "topic", message.getTopic(), "msgId", message.getMsgId(), "queueId", message.getQueueId(),
                "offset", message.getQueueOffset(), "position", message.getCommitLogOffset(), "tags",
                message.getTags(), "keys", message.getKeys(), "body", text(message.getBody()), "property",
                message.getUserProperty("compat"), "storeHost", String.valueOf(message.getStoreHost()),
                "reconsumeTimes", message.getReconsumeTimes(), "sysFlag", message.getSysFlag(), "storeSize", message.getStoreSize(), "born", message.getBornTimestamp(), "at",
                System.currentTimeMillis());
        }
    }

    private void close() {
        for (DefaultMQPushConsumer consumer : consumers.values()) {
            consumer.shutdown();
        }
        for (TransactionMQProducer transactor : transactors.values()) {
            transactor.shutdown();
        }
        for (DefaultMQProducer producer : producers.values()) {
            producer.shutdown();
        }
    }

    private static String text(byte[] body) {
        return new String(body, java.nio.charset.StandardCharsets.UTF_8);
    }

    static void emit(String id, String event, Object... pairs) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", id);
        fields.put("event", event);
        for (int i = 0; i < pairs.length; i += 2) {
            fields.put((String) pairs[i], pairs[i + 1]);
        }
        StringBuilder line = new StringBuilder("{");
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            line.append(line.length() > 1 ? "," : "").append(quoted(field.getKey())).append(':');
            Object value = field.getValue();
            line.append(value == null || value instanceof Number ? String.valueOf(value) : quoted(value.toString()));
        }
        byte[] bytes = line.append("}\n").toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        synchronized (OUT) {
            OUT.write(bytes, 0, bytes.length);
            OUT.flush();
        }
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
