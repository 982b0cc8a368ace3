"""Is this device ready? Small checks that each say what they found and what mends it."""
