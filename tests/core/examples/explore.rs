//! Explores small worlds of lock machines, larger ones than the tests do, and says how many states they have.
//!
//! ```sh
//! cargo run --release -p redlatch-core-tests --example explore [PART_OF_A_NAME]
//! ```
//!
//! `REDLATCH_STATES=n` stops each world after so many states; 10 million of them take about 4 GB.

#[path = "../tests/small_worlds/mod.rs"]
mod exploration;

const STATES_MAX: usize = 10_000_000;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let number = std::env::var("REDLATCH_STATES").ok().and_then(|text| text.parse().ok());
    let states_max = number.unwrap_or(STATES_MAX);
    let (mut states, mut transitions) = (0, 0);
    for (states_min, rules) in exploration::small().into_iter().chain(exploration::large()) {
        if rules.name.contains(&wanted) {
            let report = exploration::hold(states_min, rules, states_max);
            states += report.states;
            transitions += report.transitions;
        }
    }
    println!("{states} states, {transitions} transitions, 0 violations");
    for (_, rules) in exploration::out_of_bounds() {
        let report = exploration::explore(rules, states_max);
        let (what, story) = report.broken.expect("out of bounds");
        println!("expected, {} steps from the beginning of {}: {what}", story.len(), report.name);
    }
}
