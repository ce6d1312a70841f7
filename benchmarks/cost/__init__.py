"""What the stack costs a month, reckoned from list prices and measured sizes."""
