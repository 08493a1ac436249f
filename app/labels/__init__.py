"""Labels as people write them: tables that come in and go out."""
