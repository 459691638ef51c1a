"""Who acts: citizens, cashiers at their tills, the official, the accountant, the desk, the bank."""
