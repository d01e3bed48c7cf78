"""The gateway: events over HTTP in, records out, each acknowledged once Kafka has it."""
