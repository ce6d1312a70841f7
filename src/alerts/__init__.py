"""The alerts function: notifies people of the few updates that need attention."""
