"""Networks: what is trained. One file each; their base class is in network.py, and parabola/registry.py lists them."""

from parabola import registry
from parabola.training.networks.network import Network

__all__ = ["Network", "load_network"]


def load_network(name: str) -> Network:
    """Return the network of that name in the registry."""
    network: Network = registry.load(registry.NETWORKS[name])(name)
    return network
