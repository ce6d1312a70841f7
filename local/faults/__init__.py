"""Faults on purpose: a proxy before the local AWS that fails calls as planned, and authorises each."""
