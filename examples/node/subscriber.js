// Reads loyalty notifications and handles each once: prints its key and its content as JSON.

import kafkajs from "kafkajs";
import lz4 from "lz4js";
import { decoder } from "./notifications.js";
import { SeenIds } from "./seen.js";

const {
  KAFKA_BOOTSTRAP = "127.0.0.1:9092",
  SCHEMA_REGISTRY_URL = "http://127.0.0.1:8081/apis/ccompat/v7",
  TOPIC = "loyalty-notifications",
  GROUP = "my-subscriber",
} = process.env;

// loyaltystream compresses what it writes; this client leaves LZ4 to others.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }) => Buffer.from(lz4.compress(buffer)),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
});

const kafka = new kafkajs.Kafka({
  brokers: KAFKA_BOOTSTRAP.split(","),
  logLevel: kafkajs.logLevel.WARN,
});
// readUncommitted is false unless it is set; only so is a record there exactly once.
const consumer = kafka.consumer({ groupId: GROUP, readUncommitted: false });
const decode = decoder(SCHEMA_REGISTRY_URL);
const seen = new SeenIds();

/** What is yours to do. If it throws, its offset is not committed, and it is tried again. */
async function handle(key, notification) {
  const told = JSON.stringify(notification, (_name, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  console.log(`${key}\t${told}`);
}

async function stop() {
  await consumer.disconnect();
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

await consumer.connect();
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
await consumer.run({
  // This client commits behind what this function has done, never behind what it only fetched.
  eachMessage: async ({ message }) => {
    const notification = await decode(message.value);
    if (!seen.has(notification.eventId)) {
      await handle(message.key, notification);
      seen.add(notification.eventId);
    }
  },
});
