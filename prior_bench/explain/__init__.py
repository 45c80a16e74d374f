"""What a method sees and says, as pictures and numbers."""
