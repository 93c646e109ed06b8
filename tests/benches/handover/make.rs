//! How the clients of each make are started, where they are installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failed;
use crate::options::Make;

/// A process of this make: [`crate::told`] says what it tells and is told.
pub(crate) fn command(make: Make, url: &str) -> Result<Command, Failed> {
    let mut command = match make {
        Make::RedisPy => python()?,
        Make::NodeRedlock => node()?,
        Make::RedlatchTokio | Make::RedlatchStd | Make::Rslock => {
            let mut command = Command::new(env::current_exe()?);
            command.args(["worker", &make.to_string()]);
            command
        }
    };
    command.arg(url);
    Ok(command)
}

fn python() -> Result<Command, Failed> {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", installed("python")?).env("PYTHONDONTWRITEBYTECODE", "1");
    python.arg(source("redis_py.py"));
    Ok(python)
}

fn node() -> Result<Command, Failed> {
    let mut node = Command::new(installed("node/bin/node")?);
    node.env("NODE_PATH", installed("node/node_modules")?).arg(source("node_redlock.cjs"));
    Ok(node)
}

/// Where `.ci/clients` puts things, or what the user gives instead.
fn installed(path: &str) -> Result<PathBuf, Failed> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let given = env::var_os("REDLATCH_CLIENTS_DIR");
    let found = given.map_or_else(|| workspace.join(".clients"), PathBuf::from).join(path);
    if found.exists() {
        Ok(found)
    } else {
        let missing = format!(
            "not installed: run `.ci/clients` in the workspace, or set REDLATCH_CLIENTS_DIR to a folder that \
             holds {path}"
        );
        Err(missing.into())
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/handover").join(name)
}
