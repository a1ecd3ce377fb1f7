use crate::{
    App, Password,
    passwords::HashError,
    throttle::{Account, Admission, AttemptId, Network},
    users::{self, StoredPassword, User},
};
use decant_events::Username;
use std::{net::IpAddr, time::Duration};

/// How often a login asks again that is held up by others on the same account.
const ASK_AGAIN: Duration = Duration::from_millis(25);
/// How long it asks.
const PATIENCE: Duration = Duration::from_secs(10);

/// A name and a password as somebody sent them. Neither need have the shape of one: what can't be an account's is as
/// wrong as anything else, takes as long and is counted like it.
pub(crate) struct Credentials {
    account: Account,
    username: Option<Username>,
    password: Option<Password>,
}

/// Why somebody isn't signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("no such user, or not their password")]
    WrongCredentials,
    #[error("too many failed logins")]
    Throttled { retry_after_s: u64 },
    #[error("too many logins at once")]
    Busy,
    #[error(transparent)]
    Database(#[from] users::Error),
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl Credentials {
    pub(crate) fn new(name: &str, password: &str) -> Self {
        Self {
            account: Account::named(name),
            username: name.parse().ok(),
            password: password.parse().ok(),
        }
    }
}

impl App {
    /// Checks a name and a password, unless too many have failed for the account or from the client.
    pub(crate) async fn sign_in(
        &self,
        credentials: Credentials,
        client: IpAddr,
    ) -> Result<User, SignInError> {
        let result = self.check(credentials, client).await;
        let outcome = match &result {
            Ok(_) => "succeeded",
            Err(SignInError::WrongCredentials) => "failed",
            Err(SignInError::Throttled { .. }) => "throttled",
            Err(SignInError::Busy) => "busy",
            Err(SignInError::Database(_) | SignInError::Hash(_)) => "broken",
        };
        tracing::info!(login.outcome = outcome, "login");
        metrics::counter!("decant_logins_total", "outcome" => outcome).increment(1);
        result
    }

    async fn check(
        &self,
        Credentials {
            account,
            username,
            password,
        }: Credentials,
        client: IpAddr,
    ) -> Result<User, SignInError> {
        let _slot = self
            .login_slots
            .try_acquire()
            .map_err(|_| SignInError::Busy)?;
        let attempt = self.admit(&account, Network::of(client)).await?;
        match self.find_if(username, password).await? {
            Some(user) => {
                let throttle = &self.database.throttle;
                throttle.succeeded(attempt, &account).await?;
                Ok(user)
            }
            None => {
                self.database.throttle.failed(attempt).await?;
                Err(SignInError::WrongCredentials)
            }
        }
    }

    /// The user, if that is their password. One that stands there in plain text is hashed now.
    async fn find_if(
        &self,
        username: Option<Username>,
        password: Option<Password>,
    ) -> Result<Option<User>, SignInError> {
        loop {
            let user = match &username {
                Some(username) => self.database.users.find(username).await?,
                None => None,
            };
            let (password, passwords) = (password.clone(), &self.passwords);
            let Some(user) = user else {
                passwords.verify(password, None).await?;
                return Ok(None);
            };
            match &user.password {
                StoredPassword::Hash(hash) => {
                    let fits = passwords.verify(password, Some(hash.clone())).await?;
                    return Ok(fits.then_some(user));
                }
                StoredPassword::PlainText(plain_text) => {
                    let hash = passwords.hash_if_equal(password, plain_text).await?;
                    let Some(hash) = hash else { return Ok(None) };
                    if self.database.users.take_over(&user, &hash).await? {
                        return Ok(Some(user));
                    }
                    // Another login was faster, or the user was changed: how are they now?
                }
            }
        }
    }

    /// Counts the attempt before its password is checked, so that many at once can't slip past the limit. Where it is
    /// only the unfinished ones of others that fill it, theirs are awaited: they may succeed.
    async fn admit(&self, account: &Account, network: Network) -> Result<AttemptId, SignInError> {
        let asking = async {
            loop {
                match self.database.throttle.begin(account, &network).await? {
                    Admission::Admitted(attempt) => return Ok(attempt),
                    Admission::Throttled { retry_after_s } => {
                        return Err(SignInError::Throttled { retry_after_s });
                    }
                    Admission::Crowded => tokio::time::sleep(ASK_AGAIN).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or(Err(SignInError::Busy))
    }
}
