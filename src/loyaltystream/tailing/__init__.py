"""Shows what lies in a topic: its records as values, decoded, and safe to look at.

`topics` says which topic is meant, `reading` which of its records, `decoding` what is in them,
`shown` and `screen` how that looks to a program and to a person.
"""
