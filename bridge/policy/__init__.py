"""Who may come in: by the address they call from, else by a secret they show. (`docs/security.md`)"""

from bridge.policy.callers import Caller, Callers
from bridge.policy.codes import Codes
from bridge.policy.guesses import Guesses
from bridge.policy.kept import Kept
from bridge.policy.limits import Limits, Numbers, Rate, Slots
from bridge.policy.policy import Native, Policy, Role
from bridge.policy.sketch import Sketch
from bridge.policy.tokens import Tokens
from bridge.policy.zones import Network, Zone, Zones

__all__ = [
    "Caller",
    "Callers",
    "Codes",
    "Guesses",
    "Kept",
    "Limits",
    "Native",
    "Network",
    "Numbers",
    "Policy",
    "Rate",
    "Role",
    "Sketch",
    "Slots",
    "Tokens",
    "Zone",
    "Zones",
]
