"""Setting up: programmes and money, merchants, load orders, terminals."""
