//! Users, passwords and tokens
