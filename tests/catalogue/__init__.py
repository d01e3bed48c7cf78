"""The catalogue of notifications, docs/catalogue.html: made of schemas, goldens and the pack."""
