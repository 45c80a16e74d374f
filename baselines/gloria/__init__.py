"""GLoRIA: global and local representations of radiographs and reports (Huang et al., ICCV 2021)."""

from .model import GLoRIA

__all__ = ["GLoRIA"]
