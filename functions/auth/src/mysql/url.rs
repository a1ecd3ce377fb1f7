use secrecy::{ExposeSecret, SecretString};
use sqlx::mysql::MySqlConnectOptions;
use std::{fmt, str::FromStr};
use url::Url;

/// `mysql://USER[:PASSWORD]@HOST[:PORT]/DATABASE`: a MySQL or MariaDB server. TLS is used where the server offers it;
/// `?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE` insists on it and on the server's certificate.
#[derive(Clone)]
pub struct MySqlUrl {
    options: Box<MySqlConnectOptions>,
    has_password: bool,
    /// Without the password.
    shown: String,
}

impl MySqlUrl {
    /// With this password, where the URL has none.
    pub(crate) fn or_password(mut self, password: &SecretString) -> Self {
        if !self.has_password {
            self.options = Box::new(self.options.password(password.expose_secret()));
            self.has_password = true;
        }
        self
    }

    pub(super) fn options(&self) -> MySqlConnectOptions {
        (*self.options).clone()
    }
}

impl FromStr for MySqlUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url: Url = text.parse().map_err(drop)?;
        let database = url.path().trim_start_matches('/');
        let (user, host) = (url.username(), url.host_str().unwrap_or_default());
        // Without a name it would be root.
        let complete = [user, host, database].iter().all(|part| !part.is_empty());
        if url.scheme() != "mysql" || !complete || database.contains('/') {
            return Err(());
        }
        let options: MySqlConnectOptions = text.parse().map_err(drop)?;
        let port = url.port().unwrap_or(3306);
        Ok(Self {
            options: Box::new(options),
            has_password: url.password().is_some(),
            shown: format!("mysql://{user}@{host}:{port}/{database}"),
        })
    }
}

impl fmt::Display for MySqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for MySqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
