//! TLS for connections to `rediss://` servers: whom to believe, and who we say we are.
//!
//! It is a layer between the bytes of the socket and those of the [channel](crate::channel), without
//! I/O, so every adapter has it. Chain and name are always verified; there is no way to turn that
//! off. Versions are TLS 1.2 and 1.3 with the defaults of `rustls`.

mod fault;
mod stream;

use core::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

pub(crate) use stream::{Plain, TlsStream};

/// How servers are verified, and how the client proves who it is. The default believes what the
/// operating system believes, and proves nothing.
///
/// `Debug` shows no key.
#[derive(Clone, Default)]
pub struct Tls {
    /// `None`: those of the operating system.
    roots: Option<Arc<[CertificateDer<'static>]>>,
    identity: Option<Arc<Identity>>,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// The default: the certificates that the operating system trusts, read when a client is made.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes servers whose certificate was issued by one of these, and no others. PEM, one or
    /// more certificates; replaces what was set before.
    ///
    /// # Errors
    /// [`ConfigError::Roots`] when there is no certificate in it, or one that cannot be read.
    pub fn roots(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.roots = Some(certificates(pem).ok_or(ConfigError::Roots)?.into());
        Ok(self)
    }

    /// Shows this certificate to servers that ask for one. PEM: the certificate, then those that
    /// lead from it to the server's root; and its private key, in PKCS #8, SEC 1 or PKCS #1.
    ///
    /// # Errors
    /// [`ConfigError::Identity`] when either cannot be read or they do not belong together.
    pub fn identity(mut self, chain: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let chain = certificates(chain).ok_or(ConfigError::Identity)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ConfigError::Identity)?;
        self.identity = Some(Arc::new(Identity { chain, key }));
        self.config_with(RootCertStore::empty())?;
        Ok(self)
    }

    /// What all connections of a client share.
    pub(crate) fn config(&self) -> Result<TlsConfig, ConfigError> {
        let mut roots = RootCertStore::empty();
        match &self.roots {
            Some(ours) => {
                for root in ours.iter() {
                    roots.add(root.clone()).map_err(|_| ConfigError::Roots)?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(ConfigError::NoRoots);
        }
        self.config_with(roots)
    }

    fn config_with(&self, roots: RootCertStore) -> Result<TlsConfig, ConfigError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| ConfigError::Unsupported)?
            .with_root_certificates(roots);
        let config = match self.identity.as_deref() {
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|_| ConfigError::Identity)?,
            None => builder.with_no_client_auth(),
        };
        Ok(TlsConfig(Arc::new(config)))
    }
}

/// Everything that is the same for all connections of a client.
pub(crate) struct TlsConfig(Arc<ClientConfig>);

/// Whether a certificate can be for this host.
pub(crate) fn is_server_name(host: &str) -> bool {
    ServerName::try_from(host).is_ok()
}

/// All of them; `None` when there is none, or one that cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("own_roots", &self.roots.as_ref().map(|roots| roots.len()))
            .field("identity", &self.identity.is_some())
            .finish()
    }
}
