"""Networks that ``fer-edge train`` did not make: opened, checked layer by layer, and read operator by operator."""
