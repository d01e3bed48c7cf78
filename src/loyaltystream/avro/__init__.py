"""Avro: schemas, encoders, decoders and the schema registry's client."""
