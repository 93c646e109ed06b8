//! What the errors of `rustls` mean to users.

use rustls::{AlertDescription, CertificateError, Error};

use crate::error::TlsFault;

impl From<&Error> for TlsFault {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(certificate) => certificate.into(),
            Error::NoCertificatesPresented => Self::BadCertificate,
            Error::AlertReceived(alert) => (*alert).into(),
            // The first thing that comes from a server without TLS is no record of TLS.
            Error::InvalidMessage(_) => Self::NotTls,
            Error::PeerIncompatible(_) => Self::Incompatible,
            _ => Self::Protocol,
        }
    }
}

impl From<&CertificateError> for TlsFault {
    fn from(error: &CertificateError) -> Self {
        use CertificateError as Bad;
        match error {
            // Another authority with the name of one that is trusted leaves a wrong signature.
            Bad::UnknownIssuer | Bad::BadSignature => Self::UnknownIssuer,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::WrongName,
            Bad::Expired | Bad::ExpiredContext { .. } => Self::Expired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::BadCertificate,
        }
    }
}

impl From<AlertDescription> for TlsFault {
    fn from(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        match alert {
            Alert::CertificateRequired | Alert::NoCertificate => Self::NoIdentity,
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError => Self::IdentityRefused,
            Alert::ProtocolVersion | Alert::InsufficientSecurity => Self::Incompatible,
            _ => Self::Refused,
        }
    }
}
