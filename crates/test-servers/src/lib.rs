//! The real servers that tests talk to. Each listens on a free port of the loopback, keeps its files in a folder of the
//! test, and ends when it is dropped. They come from Debian; `./test` installs them. What is missing is said by a panic:
//! a test without its server is no test.

mod mail;
mod mongodb;
mod mysql;
mod port;
mod process;
mod rabbitmq;

pub use mail::{Demands, Mail, MailServer, decode_mail, mails};
pub use mongodb::MongoServer;
pub use mysql::MySqlServer;
pub use port::free_port;
pub use rabbitmq::RabbitServer;
