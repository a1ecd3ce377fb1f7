//! The contract between the functions: event types, their data, ids and links
