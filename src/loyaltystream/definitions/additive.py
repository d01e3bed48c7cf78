"""Two versions of a definition in, what of the newer one is more than an addition out. Pure.

Events of a published version are on their way, keyed and remembered by it: a later version may add
optional fields, hide a field's values, say what it is in other words, and cause other
notifications, which are made by the version that an event was judged by. Nothing else (domain.md
3.3).
"""

from collections.abc import Iterator

from loyaltystream.definitions.model import EventDefinition, FieldDefinition


def changes_beyond(old: EventDefinition, new: EventDefinition) -> list[str]:
    """Return everything in `new` that is neither the same as in `old` nor an addition."""
    return [*_of_the_whole(old, new), *_of_fields(old, new)]


def additions(old: EventDefinition, new: EventDefinition) -> list[str]:
    """Return what `new` adds or says otherwise, where it may."""
    known = {field.name for field in old.fields}
    found = [f"fields: {field.name} is new" for field in new.fields if field.name not in known]
    hidden = {field.name for field in old.fields if not field.psi}
    found += [
        f"fields: {field.name} is potentially sensitive from now on"
        for field in new.fields
        if field.psi and field.name in hidden
    ]
    if old.description != new.description:
        found.append("description is another one")
    if old.notifications != new.notifications:
        found.append("notifications are other ones")
    if new.disabled and not old.disabled:
        found.append("disabled for good")
    return found


def is_same(old: EventDefinition, new: EventDefinition) -> bool:
    """Say whether both mean the same, whatever their versions are called."""
    return old == new.model_copy(update={"version": old.version})


def _of_the_whole(old: EventDefinition, new: EventDefinition) -> Iterator[str]:
    if set(old.actions) != set(new.actions):
        yield f"actions: {_said(old.actions)} became {_said(new.actions)}"
    elif old.actions != new.actions:
        yield "actions: their order, which routed records tell, is another one"
    if old.customer != new.customer:
        yield "fields: the customer field may not change"
    for name, was, now in (
        ("uniquenessWindow", old.uniqueness_window_days, new.uniqueness_window_days),
        ("uniqueKeyConflicts", old.unique_key_conflicts, new.unique_key_conflicts),
        ("acceptsLate", old.accepts_late, new.accepts_late),
    ):
        if was != now:
            yield f"{name}: {was} became {now}".replace("True", "true").replace("False", "false")


def _of_fields(old: EventDefinition, new: EventDefinition) -> Iterator[str]:
    found = {field.name: field for field in new.fields}
    known = {field.name: field for field in old.fields}
    for name, field in known.items():
        if name not in found:
            yield f"fields: {name} is gone"
        elif differing := list(_differing(field, found[name])):
            yield f"fields: {name} has another {', '.join(differing)}"
    unique = [field.name for field in old.unique_fields]
    if unique != [field.name for field in new.unique_fields if field.name in known]:
        yield "fields: those of the unique key stand in another order"
    for name, field in found.items():
        if name not in known and field.required:
            yield f"fields: {name} is new and required, which older events can't satisfy"


def _differing(old: FieldDefinition, new: FieldDefinition) -> Iterator[str]:
    words = {
        "type": "type",
        "required": "isRequired",
        "unique": "isUniqueKeyField",
        "regex": "regex",
        "possible_values": "possibleValues",
    }
    for attribute, word in words.items():
        if getattr(old, attribute) != getattr(new, attribute):
            yield word
    # What subscribers were not to see stays hidden; what they saw may be hidden from now on.
    if old.psi and not new.psi:
        yield "isPsiData"


def _said(actions: tuple[str, ...]) -> str:
    return ", ".join(actions)
