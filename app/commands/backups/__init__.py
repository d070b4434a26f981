"""Files that hold a whole database: how they are made, looked into and put back."""
