//! `auth` through its front doors: the router in process, and the program itself. What touches the database runs on each.

mod cluster_secrets;
mod commands;
mod grants;
mod health;
mod keygen;
mod login;
mod mysql;
mod older;
mod place;
mod public_keys;
mod serving;
mod settings;
mod sha2_login;
mod support;
mod throttle;
mod timing;
mod validate;
