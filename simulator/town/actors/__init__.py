"""Who acts: citizens, cashiers, the town hall (official, accountant, operator, desk), the bank."""
