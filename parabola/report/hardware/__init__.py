"""What a report says of hardware: how its software changed, whether it was disturbed, what carries over to another."""
