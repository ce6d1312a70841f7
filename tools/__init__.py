"""Development tools, never deployed. They run on any Python from 3.9: `sam build` takes whichever it finds."""
