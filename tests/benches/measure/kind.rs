//! Servers by the names that are typed.

use redlatch_testkit::server::Kind;

/// `redis-7.0`, `valkey-9.1` and so on.
pub(crate) fn kind(name: &str) -> Result<Kind, String> {
    let typed = |kind: &Kind| kind.to_string().to_lowercase().replace(' ', "-");
    Kind::ALL.into_iter().find(|kind| typed(kind) == name).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(typed).collect();
        format!("one of {}", names.join(", "))
    })
}
