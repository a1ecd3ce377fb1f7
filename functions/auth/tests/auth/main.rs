//! `auth` through its front doors: the router in process, and the program itself.

mod commands;
mod health;
mod keygen;
mod login;
mod public_keys;
mod serving;
mod settings;
mod support;
mod throttle;
mod timing;
mod validate;
