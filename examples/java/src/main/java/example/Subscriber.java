package example;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads loyalty notifications and handles each once: prints its key and its content as JSON. */
public final class Subscriber {
    private static final String BOOTSTRAP = setting("KAFKA_BOOTSTRAP", "127.0.0.1:9092");
    private static final String REGISTRY =
            setting("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7");
    private static final String TOPIC = setting("TOPIC", "loyalty-notifications");
    private static final String GROUP = setting("GROUP", "my-subscriber");

    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private static volatile boolean stopping;

    public static void main(String[] arguments) {
        Map<String, Object> settings = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, BOOTSTRAP,
                ConsumerConfig.GROUP_ID_CONFIG, GROUP,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                // Only so is a record there exactly once: what was aborted is passed over.
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                // The client would commit what was polled; below, what was handled is committed.
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        stopOnSignals(Thread.currentThread());
        try (var consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), new AvroDeserializer(REGISTRY))) {
            consumer.subscribe(List.of(TOPIC));
            read(consumer);
        }
    }

    private static void read(KafkaConsumer<String, GenericRecord> consumer) {
        var seen = new SeenIds();
        while (!stopping) {
            for (var record : consumer.poll(Duration.ofSeconds(1))) {
                var id = record.value().get("eventId").toString();
                if (!seen.contains(id)) {
                    handle(record.key(), record.value());
                    seen.add(id);
                }
            }
            consumer.commitSync();
        }
    }

    /** What is yours to do. If it throws, nothing is committed, and a restart reads it again. */
    private static void handle(String key, GenericRecord notification) {
        OUT.println(key + "\t" + notification);
    }

    private static void stopOnSignals(Thread reading) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping = true;
            try {
                reading.join(Duration.ofSeconds(10).toMillis());
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
