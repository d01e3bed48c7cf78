// A document on standard input, what AsyncAPI's own parser has to say of it on standard output.
import { text } from "node:stream/consumers";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await parser.parse(await text(process.stdin));
const told = diagnostics.map(({ code, message, path }) => `${path.join(".")}: ${code}: ${message}`);
const read = document?.allChannels().all().map((channel) => [
  channel.address(),
  channel.messages().all().map((message) => [message.id(), message.hasPayload()]),
]);
process.stdout.write(JSON.stringify({ told, read: read ?? [] }));
