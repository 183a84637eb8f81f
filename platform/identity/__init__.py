"""Who is who: people, the organisation tree, roles, what they allow, sign-ins, access tokens."""
