//! `notify` through its front door: the router in process, or the real binary with a real mail server.

mod announcements;
mod broker;
mod cut_off;
mod dead_letters;
mod letters;
mod notify_process;
mod settings;
mod smtp;
mod sweep;
mod sweep_mails;
mod turns;
mod world;
