"""What the stack costs a month, calculated from list prices and measured sizes."""
