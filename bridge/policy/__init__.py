"""Who may come in: by the address they call from, else by a secret they show. (`docs/security.md`)"""

from bridge.policy.callers import Caller, Callers
from bridge.policy.guesses import Guesses
from bridge.policy.limits import Limits, Numbers, Rate, Slots
from bridge.policy.policy import Native, Policy, Role
from bridge.policy.tokens import Tokens
from bridge.policy.zones import Network, Zone, Zones

__all__ = [
    "Caller",
    "Callers",
    "Guesses",
    "Limits",
    "Native",
    "Network",
    "Numbers",
    "Policy",
    "Rate",
    "Role",
    "Slots",
    "Tokens",
    "Zone",
    "Zones",
]
