"""The figures of a run as a table in the terminal, and as `docs/performance.md`."""
