"""Faults of calls to AWS: a proxy that fails them as planned, and authorises each."""
