"""What is measured or reckoned, each beside what it is compared with."""
