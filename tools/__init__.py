"""Development tools, never deployed. Packaging runs on any Python from 3.9: `sam build` takes whichever it finds."""
