"""The command line and the terminal view of `pipenv run local`."""
