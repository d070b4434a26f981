"""Who may do what: a hostile specification of keys, tokens and limits."""
