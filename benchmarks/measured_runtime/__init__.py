"""What is put on a function's path in the emulator to measure it from inside."""
