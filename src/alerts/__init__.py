"""The filter function: tells people of the few updates that call for somebody's attention."""
