//! Breadth first through all states of a small world, each once.
//!
//! A state that has been seen is known by its hash. What breaks an invariant is found by the shortest way, which
//! is told in words. When all states are known, every run must come to an end, and in the end every machine must
//! be settled.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::collections::{HashMap, VecDeque};
use std::hash::DefaultHasher;
use std::time::Instant;

use super::choice::Choice;
use super::rules::Rules;
use super::world::{Broken, CLIENTS, Shared, World};

pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) depth: u32,
    /// States in which nothing can happen any more.
    pub(crate) ends: usize,
    /// States of the lock machine itself, of both clients.
    pub(crate) machines: usize,
    /// Whether that was all; otherwise, whether all up to `depth`.
    pub(crate) complete: bool,
    pub(crate) seconds: f64,
    pub(crate) broken: Option<(Broken, Vec<String>)>,
}

struct Explorer {
    shared: Shared,
    seen: HashMap<u64, u32>,
    /// How each state was reached first.
    came: Vec<(u32, Choice)>,
    frontier: VecDeque<(u32, u32, World)>,
    /// All transitions, by the state that they leave.
    edges: Vec<(u32, u32)>,
    ends: usize,
    depth: u32,
}

/// Explores until all states are known, or so many.
pub(crate) fn explore(rules: Rules, states_max: usize) -> Report {
    let begun = Instant::now();
    let name = rules.name;
    let mut explorer = Explorer::new(rules);
    let broken = explorer.run(states_max).err();
    let complete = broken.is_none() && explorer.frontier.is_empty();
    let broken = broken.or_else(|| if complete { explorer.endless() } else { None });
    Report {
        name,
        states: explorer.seen.len(),
        transitions: explorer.edges.len(),
        depth: explorer.depth,
        ends: explorer.ends,
        machines: explorer.shared.machines.iter().map(|machines| machines.states()).sum(),
        complete,
        seconds: begun.elapsed().as_secs_f64(),
        broken: broken.map(|(what, at, last)| (what, explorer.story(at, last))),
    }
}

/// What is broken, after which state, by which choice.
type Found = (Broken, u32, Option<Choice>);

impl Explorer {
    fn new(rules: Rules) -> Self {
        let world = World::new(&rules);
        let mut explorer = Self {
            shared: Shared::new(rules),
            seen: HashMap::new(),
            came: Vec::new(),
            frontier: VecDeque::new(),
            edges: Vec::new(),
            ends: 0,
            depth: 0,
        };
        explorer.meet(world, 0, Choice::Pass, 0);
        explorer
    }

    fn run(&mut self, states_max: usize) -> Result<(), Found> {
        let mut choices = Vec::new();
        while let Some((at, depth, world)) = self.frontier.pop_front() {
            self.depth = depth;
            world.choices(&self.shared, &mut choices);
            let before = self.edges.len();
            for choice in &choices {
                let mut next = world.clone();
                next.apply(*choice, &mut self.shared)
                    .and_then(|()| next.check(&self.shared))
                    .map_err(|broken| (broken, at, Some(*choice)))?;
                let to = self.meet(next, at, *choice, depth + 1);
                // To be woken for nothing changes nothing.
                if to != at {
                    self.edges.push((at, to));
                }
            }
            if self.edges.len() == before {
                self.ends += 1;
                self.check_end(&world).map_err(|broken| (broken, at, None))?;
            }
            if self.seen.len() >= states_max {
                break;
            }
        }
        Ok(())
    }

    /// The number of a state. One that is new is to be explored.
    fn meet(&mut self, world: World, from: u32, choice: Choice, depth: u32) -> u32 {
        let mut hasher = DefaultHasher::new();
        world.hash(&mut hasher);
        let new = u32::try_from(self.came.len()).expect("small worlds");
        let number = *self.seen.entry(hasher.finish()).or_insert(new);
        if number == new {
            self.came.push((from, choice));
            self.frontier.push_back((number, depth, world));
        }
        number
    }

    /// Nobody is stuck: where nothing can happen, nothing is held or owed.
    fn check_end(&self, world: &World) -> Result<(), Broken> {
        for client in 0..CLIENTS {
            let view = self.shared.machines[client].view(world.machines[client]);
            let owner = &world.owners[client];
            if !view.settled || owner.wants || owner.held || owner.releasing.is_some() {
                return Err(format!("I6: nothing can happen, and client {client} is not at rest"));
            }
        }
        Ok(())
    }

    /// Every run has an end: states without successors are taken away, again and again, until none is left.
    fn endless(&mut self) -> Option<Found> {
        let mut open = vec![0_u32; self.came.len()];
        for (from, _) in &self.edges {
            open[*from as usize] += 1;
        }
        self.edges.sort_unstable_by_key(|(_, to)| *to);
        let mut ended: Vec<u32> =
            (0..).zip(&open).filter(|(_, left)| **left == 0).map(|(at, _)| at).collect();
        while let Some(at) = ended.pop() {
            let first = self.edges.partition_point(|(_, to)| *to < at);
            for (from, _) in self.edges[first..].iter().take_while(|(_, to)| *to == at) {
                open[*from as usize] -= 1;
                if open[*from as usize] == 0 {
                    ended.push(*from);
                }
            }
        }
        let stuck = (0..).zip(&open).find(|(_, left)| **left > 0);
        stuck.map(|(at, _)| ("I6: a run from here on has no end".into(), at, None))
    }

    /// The shortest way to a state and one choice more, in words.
    fn story(&mut self, mut at: u32, last: Option<Choice>) -> Vec<String> {
        let mut way: Vec<Choice> = last.into_iter().collect();
        while at != 0 {
            let (from, choice) = self.came[at as usize];
            way.push(choice);
            at = from;
        }
        self.shared.story = Some(Vec::new());
        let mut world = World::new(&self.shared.rules);
        for choice in way.into_iter().rev() {
            if world.apply(choice, &mut self.shared).is_err() {
                break;
            }
        }
        self.shared.story.take().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.complete { "all" } else { "cut" };
        write!(
            f,
            "{:<40} {:>8} states ({how}), {:>8} transitions, depth {:>2}, {:>4} ends, \
             {:>5} machines, {:>6.2} s",
            self.name,
            self.states,
            self.transitions,
            self.depth,
            self.ends,
            self.machines,
            self.seconds
        )
    }
}
