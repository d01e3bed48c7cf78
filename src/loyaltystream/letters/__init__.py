"""Dead letters: what they say, and what people do with them.

`letter` reads one, `choosing` finds those that are meant, `counting` counts them, `marking` puts
what is wrong where it is, `telling` and `screen` say all of it to programs and to people.

`desk` is where they are dealt with (START HERE for replays): `repairing` mends an event,
`replaying` makes the record that sends it again, `signing` proves that we wrote it, `preview` tells
what would come of it, `state` is the last word on each letter.
"""
