import io.openmessaging.storage.dledger.DLedgerConfig;
import io.openmessaging.storage.dledger.DLedgerServer;
import io.openmessaging.storage.dledger.MemberState;
import io.openmessaging.storage.dledger.client.DLedgerClient;
import io.openmessaging.storage.dledger.protocol.AppendEntryRequest;
import io.openmessaging.storage.dledger.protocol.AppendEntryResponse;
import io.openmessaging.storage.dledger.protocol.BatchAppendEntryRequest;
import io.openmessaging.storage.dledger.protocol.GetEntriesResponse;
import io.openmessaging.storage.dledger.protocol.LeadershipTransferRequest;
import io.openmessaging.storage.dledger.store.file.DLedgerMmapFileStore;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A stock member of a DLedger group, or its stock client, that obeys lines on stdin and answers each with one.
 *
 * Member GROUP ID PEERS FOLDER DATA_SIZE INDEX_SIZE HEARTBEAT_MS BATCH
 *   append TEXT...   appended CODE INDEX POS     each text an entry, or several as one batch
 *   state            state ROLE LEADER TERM BEGIN END COMMITTED
 *   transfer ID      transferred CODE
 * Member client GROUP PEERS
 *   append TEXT      appended CODE INDEX POS
 *   get INDEX        got CODE TEXT
 *   transfer FROM TO TERM
 * Both: quit
 */
public class Member {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("client")) {
            client(args[1], args[2]);
        } else {
            member(args);
        }
        System.exit(0);
    }

    private static void member(String[] args) throws Exception {
        DLedgerConfig config = new DLedgerConfig().group(args[0]).selfId(args[1]).peers(args[2]).storeBaseDir(args[3]);
        config.setMappedFileSizeForEntryData(Integer.parseInt(args[4]));
        config.setMappedFileSizeForEntryIndex(Integer.parseInt(args[5]));
        config.setHeartBeatTimeIntervalMs(Integer.parseInt(args[6]));
        config.setEnableBatchPush(Boolean.parseBoolean(args[7]));
        DLedgerServer server = new DLedgerServer(config);
        server.startup();
        MemberState state = server.getMemberState();
        DLedgerMmapFileStore store = (DLedgerMmapFileStore) server.getDLedgerStore();
        say("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "append": {
                    AppendEntryRequest request;
                    if (words.length == 2) {
                        request = new AppendEntryRequest();
                        request.setBody(bytes(words[1]));
                    } else {
                        List<byte[]> bodies = new ArrayList<>();
                        for (int i = 1; i < words.length; i++) {
                            bodies.add(bytes(words[i]));
                        }
                        BatchAppendEntryRequest batch = new BatchAppendEntryRequest();
                        batch.setBatchMsgs(bodies);
                        request = batch;
                    }
                    request.setGroup(config.getGroup());
                    request.setRemoteId(config.getSelfId());
                    appended(server.handleAppend(request).get());
                    break;
                }
                case "transfer": {
                    LeadershipTransferRequest request = new LeadershipTransferRequest();
                    request.setGroup(config.getGroup());
                    request.setRemoteId(config.getSelfId());
                    request.setTransferId(config.getSelfId());
                    request.setTransfereeId(words[1]);
                    request.setTerm(state.currTerm());
                    say("transferred " + server.handleLeadershipTransfer(request).get().getCode());
                    break;
                }
                case "state":
                    say("state " + state.getRole() + " " + state.getLeaderId() + " " + state.currTerm() + " "
                        + store.getLedgerBeginIndex() + " " + store.getLedgerEndIndex() + " " + store.getCommittedIndex());
                    break;
                default:
                    server.shutdown();
                    return;
            }
        }
    }

    private static void client(String group, String peers) throws Exception {
        DLedgerClient client = new DLedgerClient(group, peers);
        client.startup();
        say("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "append":
                    appended(client.append(bytes(words[1])));
                    break;
                case "get": {
                    GetEntriesResponse got = client.get(Long.parseLong(words[1]));
                    String text = got.getEntries().isEmpty() ? "" : new String(got.getEntries().get(0).getBody(), StandardCharsets.UTF_8);
                    say("got " + got.getCode() + " " + text);
                    break;
                }
                case "transfer":
                    say("transferred " + client.leadershipTransfer(words[1], words[2], Long.parseLong(words[3])).getCode());
                    break;
                default:
                    client.shutdown();
                    return;
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void appended(AppendEntryResponse response) {
        say("appended " + response.getCode() + " " + response.getIndex() + " " + response.getPos());
    }

    private static synchronized void say(String line) {
        System.out.println("> " + line);
        System.out.flush();
    }
}
