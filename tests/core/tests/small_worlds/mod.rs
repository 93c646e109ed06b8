//! Small worlds: two clients, each with the real lock machine, and up to three servers. All that can happen in
//! them is tried, in every order.
//!
//! Requests and replies are on their way until they arrive, in order on each connection. Time passes from moment to
//! moment, the owners do what they like, and once, at any moment, something fails. In every state the invariants of
//! the failure list hold:
//!
//! * I1: no two clients believe at once that they hold the lock.
//! * I4: no script changes a key that is not the sender's.
//! * I5: a machine that calls itself settled has no key, and no claim on its way.
//! * I6: every run comes to an end, and there every machine is settled. Whoever all servers have promised to tell of
//!   changes does not sleep while the key is free and all that was on its way has arrived.
//! * I8: who believes has keys on a majority of the servers, for at least as long; `Acquired`, `Extended` and
//!   `Released` say what is true.
//! * I9: a lock is lost once, nothing is told out of turn, and once the owner let go only releases are sent.
//! * I10: outputs have an end, and who is woken does not want to be woken at once. In a pause a server is asked
//!   once to tell of changes, and again only after it has answered.

mod checks;
mod choice;
mod explorer;
mod link;
mod machine;
mod rules;
mod server;
mod world;
mod worlds;

pub(crate) use self::explorer::{Report, explore};
pub(crate) use self::worlds::{large, out_of_bounds, small};

/// Explores a world and says how that went. It must not break, and must not be smaller than expected.
pub(crate) fn hold(states_min: usize, rules: rules::Rules, states_max: usize) -> Report {
    let report = explore(rules, states_max);
    println!("{report}");
    if let Some((what, story)) = &report.broken {
        panic!("{}: {what}\n{}", report.name, story.join("\n"));
    }
    let expected = states_min.min(states_max);
    assert!(report.states >= expected, "{}: only {} states", report.name, report.states);
    report
}
