"""Where computing is done."""

import torch
from lightning_fabric import Fabric


def device_of(accelerator: str) -> torch.device:
    """The device that ``auto``, ``cpu`` or ``gpu`` stands for on this machine."""
    return Fabric(accelerator=accelerator, devices=1).device
