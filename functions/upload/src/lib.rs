//! The public door: login, uploads, jobs, downloads
