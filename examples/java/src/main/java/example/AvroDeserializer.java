package example;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Decodes the registry's wire format: a zero byte, the schema's id in four, then Avro. Asks the
 * registry once for each id.
 */
final class AvroDeserializer implements Deserializer<GenericRecord> {
    private static final int FRAME_BYTES = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final String registryUrl;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final ObjectMapper json = new ObjectMapper();
    private final Map<Integer, GenericDatumReader<GenericRecord>> readers = new HashMap<>();

    AvroDeserializer(String registryUrl) {
        this.registryUrl = registryUrl;
    }

    @Override
    public GenericRecord deserialize(String topic, byte[] value) {
        if (value.length < FRAME_BYTES || value[0] != 0) {
            throw new SerializationException("not in the registry's wire format");
        }
        int id = ByteBuffer.wrap(value, 1, Integer.BYTES).getInt();
        var decoder = DecoderFactory.get()
                .binaryDecoder(value, FRAME_BYTES, value.length - FRAME_BYTES, null);
        try {
            var notification = readers.computeIfAbsent(id, this::reader).read(null, decoder);
            if (!decoder.isEnd()) {
                throw new IOException("bytes are left over");
            }
            return notification;
        } catch (IOException | AvroRuntimeException problem) {
            throw new SerializationException("not what schema " + id + " says", problem);
        }
    }

    private GenericDatumReader<GenericRecord> reader(int id) {
        try {
            var schema = new Schema.Parser().parse(schema(id));
            return new GenericDatumReader<>(schema);
        } catch (IOException problem) {
            throw new SerializationException("schema " + id + " at " + registryUrl, problem);
        } catch (InterruptedException problem) {
            Thread.currentThread().interrupt();
            throw new SerializationException("stopped while asking for schema " + id, problem);
        }
    }

    private String schema(int id) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(registryUrl + "/schemas/ids/" + id))
                .timeout(PATIENCE)
                .build();
        var answer = http.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("the registry answered " + answer.statusCode());
        }
        return json.readTree(answer.body()).required("schema").textValue();
    }
}
