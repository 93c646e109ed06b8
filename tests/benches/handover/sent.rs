//! What a line of `MONITOR` says.

/// The name of a command that a client sent: `+TIME [DB CLIENT] "NAME" ..`, where a script is no address.
pub(crate) fn sent(line: &str) -> Option<String> {
    let (client, command) = line.split_once(" [")?.1.split_once("] \"")?;
    let name = command.split_once('"')?.0;
    client.contains(':').then(|| name.to_uppercase())
}
