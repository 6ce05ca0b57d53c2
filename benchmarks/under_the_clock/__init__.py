"""What is trained for so many seconds, and how far what it draws is from real images."""
