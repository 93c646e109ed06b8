//! A real server that is reached over TLS.

use std::fs;
use std::path::Path;

use redlatch_testkit::port::Port;
use redlatch_testkit::server::{Kind, Server};
use tempfile::TempDir;

use crate::authority::Identity;

/// A real Redis 7.0 with a port for TLS beside its plain one.
pub(crate) struct Guarded {
    pub(crate) server: Server,
    port: Port,
    _files: TempDir,
}

impl Guarded {
    /// Shows this certificate, and lets in only whom this root has certified, if there is one.
    pub(crate) fn start(identity: &Identity, clients: Option<&str>) -> Self {
        Self::start_with(identity, clients, &[])
    }

    /// With further arguments.
    pub(crate) fn start_with(identity: &Identity, clients: Option<&str>, more: &[&str]) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| {
            let path = files.path().join(name);
            fs::write(&path, text).expect("written");
            text_of(&path)
        };
        let arguments = [
            ("--tls-cert-file", put("server.crt", &identity.certificate)),
            ("--tls-key-file", put("server.key", &identity.key)),
            ("--tls-ca-cert-file", put("ca.crt", clients.unwrap_or(&identity.certificate))),
            ("--tls-auth-clients", if clients.is_some() { "yes" } else { "no" }.to_owned()),
        ];
        let port = Port::claim().expect("a port");
        let line = arguments.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]);
        let line = line.chain(["--tls-port".to_owned(), port.number().to_string()]);
        let line = line.chain(more.iter().map(ToString::to_string));
        let started = Server::builder(Kind::Redis7).arguments(line).start();
        let server = started.unwrap_or_else(|error| panic!("{error}"));
        Self { server, port, _files: files }
    }

    /// Under this name of the machine.
    pub(crate) fn url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.port.number())
    }

    /// Its port for TLS.
    pub(crate) const fn tls_port(&self) -> u16 {
        self.port.number()
    }

    /// As if its TLS port were a plain one.
    pub(crate) fn plain_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port.number())
    }
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
