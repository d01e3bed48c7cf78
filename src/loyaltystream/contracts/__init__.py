"""The schemas as promises to subscribers: their form, their releases, and what may change."""
