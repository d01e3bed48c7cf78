"""Why an event is where it is: everything that became of it, from the topics alone.

`sightings` finds an id (START HERE), `telling` makes the story of what was found, `asking` leads
from a place, a unique key or a customer to ids, `seeking` finds outputs by what caused them,
`screen` is how it looks.
"""
