"""What Python services read notifications with: typed records, one reaction for each type.

Light on purpose: no web server, no numpy, nothing of the workers. How to use it, and what it
guarantees: docs/subscribers.md.
"""

from loyaltystream.subscriber.outcomes import Outcome, Tally
from loyaltystream.subscriber.reactions import Reactions
from loyaltystream.subscriber.records import Notification
from loyaltystream.subscriber.running import Subscriber
from loyaltystream.subscriber.subscription import Subscription
from loyaltystream.subscriber.window import Seen, Window

__all__ = [
    "Notification",
    "Outcome",
    "Reactions",
    "Seen",
    "Subscriber",
    "Subscription",
    "Tally",
    "Window",
]
