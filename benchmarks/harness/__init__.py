"""How sides are run, in turns and in fresh processes, and measured."""
