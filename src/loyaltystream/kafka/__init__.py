"""The only room that imports confluent_kafka's clients: source, transactional sink, topics."""
