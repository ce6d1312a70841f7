"""What is measured or calculated, each beside what it is compared with."""
