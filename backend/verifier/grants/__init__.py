"""Law 3: grants that the issuer signed, from approved orders, from awards."""
