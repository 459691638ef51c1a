"""Law 5: the journals of the tills, and what each entry gives the other laws to judge."""
