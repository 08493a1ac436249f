"""What a shortlist is made of: its moments, the file that holds them, the ledger of changes."""
