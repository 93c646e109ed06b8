//! Certificates for the tests: an authority, and what it issues.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

/// A certificate and its private key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).expect("a root"))
    }

    /// Its own certificate, which is to be trusted.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.sign(named("server", names))
    }

    /// A certificate that was valid until the year before last.
    pub(crate) fn issue_expired(&self, names: &[&str]) -> Identity {
        let mut params = named("server", names);
        (params.not_before, params.not_after) =
            (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        self.sign(params)
    }

    /// A certificate that will be valid.
    pub(crate) fn issue_early(&self, names: &[&str]) -> Identity {
        let mut params = named("server", names);
        (params.not_before, params.not_after) =
            (date_time_ymd(4001, 1, 1), date_time_ymd(4002, 1, 1));
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("issued").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

/// A certificate that nobody has issued but itself.
pub(crate) fn self_signed(names: &[&str]) -> Identity {
    let key = key();
    let certificate = named("server", names).self_signed(&key).expect("issued").pem();
    Identity { certificate, key: key.serialize_pem() }
}

fn named(name: &str, alternatives: &[&str]) -> CertificateParams {
    let names: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("randomness")
}
