use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::{self, Output, Salt, SaltString, rand_core::OsRng},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};
use subtle::ConstantTimeEq;
use tokio::{sync::Semaphore, task};

/// The longest password. Longer ones are refused before they are hashed.
const LONGEST_BYTES: usize = 1024;

/// A password: 1 to 1024 bytes of UTF-8.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// The text can't be a password.
#[derive(Debug, thiserror::Error)]
#[error("expected a password of 1 to {LONGEST_BYTES} bytes")]
pub struct InvalidPassword;

/// Why a password can't be hashed or compared. Never says which.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The parameters are wrong, or what is stored is no hash.
    #[error("argon2: {0}")]
    Argon2(password_hash::Error),
    /// The process is ending.
    #[error("the hash was interrupted")]
    Interrupted,
}

/// Hashes passwords with argon2id, on threads of their own and a few at a time, so that memory stays bounded.
#[derive(Debug)]
pub struct Passwords {
    params: Params,
    /// A hash that no password has, made like the others: whoever doesn't exist is compared with it.
    nobodys: String,
    turns: Arc<Semaphore>,
    /// What was hashed in before. An allocator keeps freed memory for each of its threads, which would add up.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Default for Passwords {
    /// 19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet's recommendation.
    fn default() -> Self {
        Self::with_params(Params::DEFAULT)
    }
}

impl Passwords {
    /// With other parameters than the recommended ones.
    pub fn with_params(params: Params) -> Self {
        let hashes_at_once = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self {
            nobodys: nobodys_hash(&params),
            params,
            turns: Arc::new(Semaphore::new(hashes_at_once.min(4))),
            memory: Arc::default(),
        }
    }

    /// The hash of `password` with a fresh salt, as a PHC string.
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let params = self.params.clone();
        self.in_turn(move |memory| {
            let salt = SaltString::generate(&mut OsRng);
            let output = output(&password, salt.as_salt(), &params, memory)?;
            Ok(phc(&params, Some(salt.as_salt()), Some(output)))
        })
        .await
    }

    /// Whether `password` has the hash. What isn't there is false, and takes as long.
    pub async fn verify(
        &self,
        password: Option<Password>,
        hash: Option<String>,
    ) -> Result<bool, HashError> {
        let may_fit = password.is_some() && hash.is_some();
        let password = password.unwrap_or_else(|| Password(String::new().into()));
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        self.in_turn(move |memory| {
            let hash = PasswordHash::new(&hash)?;
            if hash.algorithm != Algorithm::Argon2id.ident()
                || hash.version != Some(Version::V0x13.into())
            {
                return Err(password_hash::Error::Algorithm);
            }
            let salt = hash.salt.ok_or(password_hash::Error::PhcStringField)?;
            let output = output(&password, salt, &Params::try_from(&hash)?, memory)?;
            // An `Output` is compared in constant time.
            Ok(hash.hash == Some(output) && may_fit)
        })
        .await
    }

    /// The hash of `password`, if that is what stands in `plain_text`. Takes as long as [`verify`](Self::verify), also
    /// if it isn't; how much of it is right can't be told from the time.
    pub async fn hash_if_equal(
        &self,
        password: Option<Password>,
        plain_text: &SecretString,
    ) -> Result<Option<String>, HashError> {
        let digest = |text: &SecretString| Sha256::digest(text.expose_secret());
        let equal = password
            .as_ref()
            .is_some_and(|password| digest(&password.0).ct_eq(&digest(plain_text)).into());
        let password = password.unwrap_or_else(|| Password(String::new().into()));
        let hash = self.hash(password).await?;
        Ok(equal.then_some(hash))
    }

    /// The thread keeps the turn, not the request: a caller who hangs up doesn't make room for another hash.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| HashError::Interrupted)?;
        let spare = Arc::clone(&self.memory);
        task::spawn_blocking(move || {
            let _turn = turn;
            let lock = || spare.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            lock().push(memory);
            done.map_err(HashError::Argon2)
        })
        .await
        .map_err(|_| HashError::Interrupted)?
    }
}

/// All zeros where a hash has its output: computed at no cost when the process starts, compared at full cost.
fn nobodys_hash(params: &Params) -> String {
    let zeros = Output::new(&[0; Params::DEFAULT_OUTPUT_LEN]).ok();
    phc(params, Salt::from_b64("bm9ib2R5IGhhcyB0aGlzIQ").ok(), zeros)
}

/// Computes in `memory`, which grows to what the parameters ask for.
fn output(
    password: &Password,
    salt: Salt<'_>,
    params: &Params,
    memory: &mut Vec<Block>,
) -> Result<Output, password_hash::Error> {
    let missing = params.block_count().saturating_sub(memory.len());
    memory.extend(std::iter::repeat_n(Block::default(), missing));
    let mut salt_bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut salt_bytes)?;
    let password = password.0.expose_secret().as_bytes();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let bytes = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    Output::init_with(bytes, |output| {
        Ok(argon2.hash_password_into_with_memory(password, salt, output, memory)?)
    })
}

/// A hash as it is stored.
fn phc(params: &Params, salt: Option<Salt<'_>>, output: Option<Output>) -> String {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().unwrap_or_default(),
        salt,
        hash: output,
    };
    hash.to_string()
}

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() {
            1..=LONGEST_BYTES => Ok(Self(text.into())),
            _ => Err(InvalidPassword),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().expect("a password")
    }

    #[tokio::test]
    async fn nobodys_hash_costs_what_a_users_costs_and_fits_no_password() {
        let passwords = Passwords::default();
        let users = passwords.hash(password("Qwerty123")).await.expect("a hash");
        let (users, nobodys) = (
            PasswordHash::new(&users).expect("a hash"),
            PasswordHash::new(&passwords.nobodys).expect("a hash"),
        );
        assert_eq!(users.params.to_string(), "m=19456,t=2,p=1");
        assert_eq!(nobodys.params, users.params);
        assert_eq!(nobodys.algorithm, users.algorithm);
        assert_eq!(nobodys.version, users.version);
        assert_eq!(
            nobodys.hash.map(|hash| hash.len()),
            users.hash.map(|hash| hash.len())
        );
        assert_eq!(
            nobodys.salt.map(|salt| salt.len()),
            users.salt.map(|salt| salt.len())
        );
        let fits = passwords.verify(Some(password("Qwerty123")), None).await;
        assert!(!fits.expect("an answer"));
    }

    #[tokio::test]
    async fn hashes_are_those_that_others_make_of_argon2id() {
        use argon2::{PasswordHasher, PasswordVerifier};
        let passwords = Passwords::default();
        let argon2 = Argon2::default();
        let salt = SaltString::generate(&mut OsRng);
        let theirs = argon2.hash_password(b"Qwerty123", &salt).expect("a hash");
        for (text, fits) in [("Qwerty123", true), ("Qwerty124", false)] {
            let answer = passwords.verify(Some(password(text)), Some(theirs.to_string()));
            assert_eq!(answer.await.expect("an answer"), fits);
        }
        let ours = passwords.hash(password("Qwerty123")).await.expect("a hash");
        let ours = PasswordHash::new(&ours).expect("a hash");
        assert!(argon2.verify_password(b"Qwerty123", &ours).is_ok());
    }

    #[tokio::test]
    async fn a_password_in_plain_text_is_hashed_if_it_is_the_same() {
        let passwords = Passwords::default();
        let plain_text = SecretString::from("Qwerty123");
        let same = passwords.hash_if_equal(Some(password("Qwerty123")), &plain_text);
        let hash = same.await.expect("an answer");
        let fits = passwords.verify(Some(password("Qwerty123")), hash).await;
        assert!(fits.expect("an answer"));
        for other in [
            None,
            Some(password("Qwerty12")),
            Some(password("qwerty123")),
        ] {
            let hash = passwords.hash_if_equal(other, &plain_text).await;
            assert!(hash.expect("an answer").is_none());
        }
    }

    #[test]
    fn a_password_has_1_to_1024_bytes() {
        assert!("".parse::<Password>().is_err());
        assert!("ü".repeat(512).parse::<Password>().is_ok());
        assert!("ü".repeat(513).parse::<Password>().is_err());
    }

    #[test]
    fn a_password_isnt_shown_by_debug() {
        assert!(!format!("{:?}", password("Qwerty123")).contains("Qwerty123"));
    }
}
