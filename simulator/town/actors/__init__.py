"""Who acts in a town: citizens, cashiers with their tills, the official, the bank."""
