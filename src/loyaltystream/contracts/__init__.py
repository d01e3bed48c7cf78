"""The schemas as promises to subscribers: form, releases, what may change, and their document."""
