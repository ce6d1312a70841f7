"""The fold of a window's updates, and the state that Lambda carries between invocations."""
