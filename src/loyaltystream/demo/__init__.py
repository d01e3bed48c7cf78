"""`make demo`: the whole story on a real Kafka, a SIGKILL in the middle and an audit at the end.

A run has topics, groups, state and a secret of its own, so that no two runs ever mix.
"""
