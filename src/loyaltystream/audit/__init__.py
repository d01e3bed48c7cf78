"""The audit: from the records alone, was every event judged exactly once, and rightly?"""

from loyaltystream.audit.audit import Audit
from loyaltystream.audit.findings import Detail, Fault, Findings, Notice, PartitionFindings, Place
from loyaltystream.audit.log import Deriver, Groups, Log
from loyaltystream.audit.stage import Deployment

__all__ = [
    "Audit",
    "Deployment",
    "Deriver",
    "Detail",
    "Fault",
    "Findings",
    "Groups",
    "Log",
    "Notice",
    "PartitionFindings",
    "Place",
]
