"""The API: questions about aircraft, windows and alerts, answered over HTTP."""
