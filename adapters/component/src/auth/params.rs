//! The parameters of a credential.

use redlatch_client::Secret;

use crate::config::ConfigParams;
use crate::config::place::Place;
use crate::config::section::{Displaces, Section};
use crate::error::{Category, Error, code};

/// Where credentials are written.
pub(crate) const PLACE: Place = Place {
    single: "credential",
    group: "credentials",
    keys: &["store_key", "username", "user", "password", "pass"],
};

/// What a store finds displaces what says the same in other words.
const DISPLACES: [Displaces; 2] = [
    (&["username", "user"], &["username", "user"]),
    (&["password", "pass"], &["password", "pass"]),
];

/// How to log in: user and password, or the key under which a credential store knows them.
///
/// | parameter | meaning |
/// | --- | --- |
/// | `store_key` | the key under which to ask the credential store |
/// | `username` (or `user`) | the ACL user; the default user if there is none |
/// | `password` (or `pass`) | the password |
///
/// Unlike in the other languages of the family, the user name is used. Blank values are not set.
/// `Debug` shows keys and no values, and memory is wiped when it is given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialParams(Section);

impl CredentialParams {
    /// A credential without parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of the default user.
    #[must_use]
    pub fn from_password(password: &str) -> Self {
        Self::from(ConfigParams::from_tuples(("password", password)))
    }

    /// A user and its password.
    #[must_use]
    pub fn from_username_and_password(username: &str, password: &str) -> Self {
        Self::from(ConfigParams::from_tuples(("username", username, "password", password)))
    }

    /// The credentials of a component's configuration, in the order in which they were written:
    /// those of the sections `credentials.<name>`; if there are none, that of the section
    /// `credential`; if there is none either, that of the keys without a section.
    ///
    /// # Errors
    /// * [`UNKNOWN_KEY`](code::UNKNOWN_KEY) for a key in these sections that is not in the table
    ///   above.
    /// * [`CONFIG_CONFLICT`](code::CONFIG_CONFLICT) when keys without a section say something else
    ///   than the sections.
    pub fn many_from_config(config: &ConfigParams) -> Result<Vec<Self>, Error> {
        Ok(PLACE.sections(config)?.into_iter().map(Self).collect())
    }

    /// The key under which to ask the credential store.
    #[must_use]
    pub fn store_key(&self) -> Option<&str> {
        self.0.text("store_key")
    }

    /// The user.
    ///
    /// # Errors
    /// [`CONFIG_CONFLICT`](code::CONFIG_CONFLICT) when `username` and `user` differ.
    pub fn username(&self) -> Result<Option<&str>, Error> {
        Ok(self.0.either("username", "user")?.map(|(_, text)| text.trim()))
    }

    /// The password, as it was written, with the spaces around it.
    ///
    /// # Errors
    /// [`CONFIG_CONFLICT`](code::CONFIG_CONFLICT) when `password` and `pass` differ.
    pub fn password(&self) -> Result<Option<Secret>, Error> {
        let password = self.0.either("password", "pass")?;
        Ok(password.map(|(_, text)| Secret::new(text.as_bytes().to_vec())))
    }

    /// All parameters, as they were set.
    #[must_use]
    pub fn as_config(&self) -> &ConfigParams {
        self.0.params()
    }

    /// Whether it can be used to log in.
    ///
    /// # Errors
    /// `CONFIG_CONFLICT` as above; `MISSING_CREDENTIALS` for a user without a password.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (username, password) = (self.username()?, self.password()?);
        if username.is_none() || password.is_some() {
            return Ok(());
        }
        let key = self.0.key("password");
        let message = format!("A user is named without a password; set {key}");
        Err(Error::new(Category::Misconfiguration, code::MISSING_CREDENTIALS, message)
            .with_detail("key", key))
    }

    /// Whether it says nothing.
    pub(crate) fn is_blank(&self) -> bool {
        PLACE.keys.iter().all(|name| self.0.raw(name).is_none())
    }

    /// This credential with what a store found set on top.
    pub(crate) fn overridden_by(&self, found: &Self) -> Self {
        Self(self.0.overridden_by(found.as_config(), &DISPLACES))
    }

    /// The whole key of a parameter, as the user wrote it.
    pub(crate) fn key(&self, name: &str) -> String {
        self.0.key(name)
    }
}

impl From<ConfigParams> for CredentialParams {
    fn from(params: ConfigParams) -> Self {
        Self(Section::new(String::new(), params))
    }
}

impl From<CredentialParams> for ConfigParams {
    fn from(credential: CredentialParams) -> Self {
        credential.0.into_params()
    }
}
