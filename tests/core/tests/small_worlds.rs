//! Every state of small worlds of lock machines. See [`exploration`] for what can happen and what must hold.
//!
//! `REDLATCH_STATES=n` stops each world after so many states. Larger worlds:
//! `cargo run --release -p redlatch-core-tests --example explore`.

#[path = "small_worlds/mod.rs"]
mod exploration;

fn states_max() -> usize {
    let number = std::env::var("REDLATCH_STATES").ok().and_then(|text| text.parse().ok());
    number.unwrap_or(usize::MAX)
}

#[test]
fn no_state_of_a_small_world_breaks_an_invariant() {
    for (states_min, rules) in exploration::small() {
        exploration::hold(states_min, rules, states_max());
    }
}

/// All that can happen at first, as far as there is time in a test.
#[test]
fn no_state_near_the_beginning_of_a_large_world_breaks_an_invariant() {
    for (states_min, rules) in exploration::large() {
        exploration::hold(states_min, rules, states_max().min(1_500));
    }
}

/// The explorer can fail: it sees what a server without a memory, a wrong clock and a wrong script do.
#[test]
fn what_is_out_of_bounds_breaks_an_invariant() {
    for (wanted, rules) in exploration::out_of_bounds() {
        let report = exploration::explore(rules, usize::MAX);
        println!("{report}");
        let (what, story) = report.broken.expect(report.name);
        assert!(what.starts_with(wanted), "{}: {what}\n{}", report.name, story.join("\n"));
        println!("  after {} steps: {what}", story.len());
    }
}
