"""The aggregator: folds target updates into tumbling windows and writes a row per aircraft and window."""
