//! Payloads and jobs, behind two traits
