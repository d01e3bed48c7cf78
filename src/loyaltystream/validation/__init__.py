"""Whether an event is what its definition says: a short way for usual events, a careful one."""
