"""Functions in AWS's runtime emulator, and the queue that invokes them by schedule."""
