"""The Avro that leaves the core, held against fastavro."""
