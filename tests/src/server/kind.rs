//! The servers that the tests run on, and where they are found.

use core::fmt;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ServerError;

/// A server and its version line. `.ci/servers` provides each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Redis 6.2, the oldest line that is tested.
    Redis6,
    /// Redis 7.0.
    Redis7,
    /// Redis 8.2.
    Redis8,
    /// Redis 8.6, the first line here that compares before it deletes (`DELEX`) without a script.
    Redis8_6,
    /// Valkey 9.1.
    Valkey9,
}

impl Kind {
    /// Every kind, for tests that run on all of them.
    pub const ALL: [Self; 5] =
        [Self::Redis6, Self::Redis7, Self::Redis8, Self::Redis8_6, Self::Valkey9];

    /// Where the executable is inside `.servers/` or `REDLATCH_SERVERS_DIR`.
    #[must_use]
    pub fn path_in_store(self) -> &'static Path {
        Path::new(match self {
            Self::Redis6 => "redis-6.2/bin/redis-server",
            Self::Redis7 => "redis-7.0/bin/redis-server",
            Self::Redis8 => "redis-8.2/bin/redis-server",
            Self::Redis8_6 => "redis-8.6/bin/redis-server",
            Self::Valkey9 => "valkey-9.1/bin/valkey-server",
        })
    }

    /// Finds the executable: in `REDLATCH_SERVERS_DIR` where that is set, else in `.servers/` of the
    /// workspace, else, for Redis 7, on the `PATH`.
    ///
    /// # Errors
    /// [`ServerError::Missing`], whose message holds the command that installs it.
    pub fn find(self) -> Result<PathBuf, ServerError> {
        self.find_in(env::var_os("REDLATCH_SERVERS_DIR").as_deref(), &workspace().join(".servers"))
    }

    fn find_in(self, given: Option<&OsStr>, store: &Path) -> Result<PathBuf, ServerError> {
        let installed = Path::new(given.unwrap_or(store.as_os_str())).join(self.path_in_store());
        if installed.is_file() {
            return Ok(installed);
        }
        if self == Self::Redis7 && given.is_none() && says_version("redis-server", "v=7.") {
            return Ok(PathBuf::from("redis-server"));
        }
        Err(ServerError::Missing(self))
    }

    /// From Redis 7.0 on, `DEBUG` must be enabled at the start. Redis 6.2 does not know the option and would not start.
    pub(super) fn guards_debug_command(self) -> bool {
        match self {
            Self::Redis6 => false,
            Self::Redis7 | Self::Redis8 | Self::Redis8_6 | Self::Valkey9 => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis6 => "Redis 6.2",
            Self::Redis7 => "Redis 7.0",
            Self::Redis8 => "Redis 8.2",
            Self::Redis8_6 => "Redis 8.6",
            Self::Valkey9 => "Valkey 9.1",
        })
    }
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn says_version(binary: &str, version: &str) -> bool {
    let output = Command::new(binary).arg("--version").stdin(Stdio::null()).output();
    output.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_is_an_error_with_the_install_line() {
        let empty = tempfile::tempdir().expect("a temporary folder");
        for kind in Kind::ALL {
            let error = kind
                .find_in(Some(empty.path().as_os_str()), Path::new("unused"))
                .expect_err("the folder is empty");
            assert!(matches!(error, ServerError::Missing(missing) if missing == kind));
            let message = error.to_string();
            assert!(message.contains("run `.ci/servers`"), "{message}");
            assert!(message.contains("REDLATCH_SERVERS_DIR"), "{message}");
            assert!(message.contains(&kind.to_string()), "{message}");
        }
    }
}
