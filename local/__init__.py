"""The whole system on one machine: simulator, stack, schedule, event source mappings, ledger."""
