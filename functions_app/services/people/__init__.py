"""Who may do what: people, groups, sign-in, audit, and the accounts they look after."""
