//! The processes of one make of client, whose waiters want one key.

use core::time::Duration;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use crate::Failed;
use crate::clock;
use crate::history::History;
use crate::make;
use crate::options::Make;
use crate::relay::Relay;
use crate::told::Told;

/// How long a turn lasts.
const HOLD: Duration = Duration::from_millis(1);
/// Longer than any of the steps takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Running processes. They are killed when the value is dropped.
pub(crate) struct Crew {
    pub(crate) make: Make,
    players: Vec<Player>,
    lines: Receiver<(usize, String)>,
    rounds: usize,
}

struct Player {
    child: Child,
    orders: ChildStdin,
}

/// What a round came to.
pub(crate) struct Played {
    pub(crate) history: History,
    /// Turns of each process that had waiters.
    pub(crate) processes: Vec<usize>,
    /// Processor time of all clients.
    pub(crate) used: Duration,
}

/// Waiters of each process, which are numbered one after the other.
struct Shares {
    waiters: usize,
    processes: usize,
}

impl Shares {
    fn of(&self, process: usize) -> core::ops::Range<usize> {
        let first = |process| self.waiters * process / self.processes;
        first(process)..first(process + 1)
    }
}

impl Crew {
    /// To be called in the main thread: a worker ends with the thread that has started it.
    pub(crate) fn start(make: Make, url: &str, processes: usize) -> Result<Self, Failed> {
        let (sender, lines) = mpsc::channel();
        let players = (0..processes).map(|number| Player::start(make, url, number, sender.clone()));
        let crew = Self { make, players: players.collect::<Result<_, _>>()?, lines, rounds: 0 };
        let deadline = Instant::now() + PATIENCE;
        for _ in &crew.players {
            match crew.hear(deadline)? {
                Some((_, Told::Ready)) => {}
                other => return Err(format!("{make} does not get ready: {other:?}").into()),
            }
        }
        Ok(crew)
    }

    /// Lets this many waiters take turns for so long. `at_end` is called just before the end.
    pub(crate) fn play(
        &mut self,
        waiters: usize,
        length: Duration,
        at_end: impl FnOnce() -> io::Result<()>,
    ) -> Result<Played, Failed> {
        let shares = Shares { waiters, processes: self.players.len().min(waiters) };
        self.begin(&shares)?;
        self.relay(Instant::now() + length)?;
        at_end()?;
        let ended = clock::now();
        self.end(&shares, ended)
    }

    fn begin(&mut self, shares: &Shares) -> io::Result<()> {
        self.rounds += 1;
        let key = format!("handover:{}:{}", self.make, self.rounds);
        let tells = u8::from(shares.processes > 1);
        for (process, player) in self.players.iter_mut().enumerate().take(shares.processes) {
            let (share, hold) = (shares.of(process), HOLD.as_micros());
            player.order(&format!("begin {key} {} {} {hold} {tells}", share.start, share.len()))?;
        }
        Ok(())
    }

    /// Tells processes of turns in other processes.
    fn relay(&mut self, deadline: Instant) -> Result<(), Failed> {
        let mut relay = Relay::default();
        while let Some((process, told)) = self.hear(deadline)? {
            let Told::Took(at) = told else {
                return Err(format!("{}: {told:?} in the middle of a round", self.make).into());
            };
            if let Some((other, at)) = relay.took(at, process) {
                self.players[other].order(&format!("next {at}"))?;
            }
        }
        Ok(())
    }

    fn end(&mut self, shares: &Shares, ended: u64) -> Result<Played, Failed> {
        for player in self.players.iter_mut().take(shares.processes) {
            player.order("end")?;
        }
        let (mut turns, mut used, mut done) = (Vec::new(), Duration::ZERO, 0);
        let deadline = Instant::now() + PATIENCE;
        while done < shares.processes {
            match self.hear(deadline)? {
                Some((_, Told::Turn(turn))) => turns.push(turn),
                Some((_, Told::Used(time))) => used += time,
                Some((_, Told::Done)) => done += 1,
                Some((_, Told::Took(_))) => {}
                Some((_, Told::Ready | Told::Gone)) | None => {
                    return Err(format!("{} does not end its round", self.make).into());
                }
            }
        }
        let history = History::new(turns, shares.waiters, ended);
        if history.overlaps > 0 {
            return Err(format!("{}: {} had the lock at once", self.make, history.overlaps).into());
        }
        let each = (0..shares.processes).map(|process| shares.of(process));
        let processes = each.map(|share| history.turns[share].iter().sum()).collect();
        Ok(Played { history, processes, used })
    }

    /// The next line. `None` when none comes in time.
    fn hear(&self, deadline: Instant) -> Result<Option<(usize, Told)>, Failed> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((process, line)) => Ok(Some((process, line.parse()?))),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(format!("{} has ended", self.make).into()),
        }
    }
}

impl Player {
    fn start(
        make: Make,
        url: &str,
        number: usize,
        lines: Sender<(usize, String)>,
    ) -> Result<Self, Failed> {
        let mut command = make::command(make, url)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let orders = child.stdin.take().ok_or("no pipe")?;
        let output = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if lines.send((number, line)).is_err() {
                    return;
                }
            }
            // Nobody listens any more when it was killed.
            let _ = lines.send((number, "gone".to_owned()));
        });
        Ok(Self { child, orders })
    }

    fn order(&mut self, line: &str) -> io::Result<()> {
        self.orders.write_all(format!("{line}\n").as_bytes())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
