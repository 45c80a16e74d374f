"""Downloaded annotation tables and the files that they name."""
