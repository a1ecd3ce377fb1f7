//! Mail, dead letters and the sweep
