//! The chassis of every function: configuration, telemetry, health, CloudEvents, drain
