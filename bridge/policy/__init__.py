"""Who may come in: by the address they call from, else by a secret they show. (`docs/security.md`)"""

from bridge.policy.policy import Native, Policy, Role
from bridge.policy.tokens import Tokens
from bridge.policy.zones import Network, Zone, Zones

__all__ = ["Native", "Network", "Policy", "Role", "Tokens", "Zone", "Zones"]
