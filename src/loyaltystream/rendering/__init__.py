"""Notifications as JSON, for those who do not speak Avro: three renderings, one reader of all."""
