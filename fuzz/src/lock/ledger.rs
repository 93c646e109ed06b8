//! What must be true of a lock, judged from outside: by what it sends, what it is answered and what it tells.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};

use redlatch_core::{
    Answer, Command, Event, Instant, Lease, Loss, Phase, Settings, Ticket, Token, majority,
};

/// Without random keys: the same input takes the same way through it.
type Tokens = HashSet<Token, BuildHasherDefault<DefaultHasher>>;

/// Everything that is remembered of the current attempt and extension.
#[derive(Debug)]
pub(super) struct Ledger {
    seats: usize,
    settings: Settings,
    pub(super) token: Option<Token>,
    /// All tokens that may stand on a server and are not given away.
    pub(super) ours: Tokens,
    used: Tokens,
    /// Reads and extensions that are out, each with its kind.
    reads: Vec<Ticket>,
    extensions: Vec<Ticket>,
    /// Servers that were asked in this pause when the key expires.
    alerts: BTreeMap<usize, Alert>,
    /// Servers that showed the token to a read of this attempt, and to this extension.
    granted: BTreeSet<usize>,
    extended: BTreeSet<usize>,
    /// When the first request of the attempt, and of the extension, was handed out.
    claimed_at: Option<Instant>,
    extended_at: Option<Instant>,
    /// By what the owner was told.
    lease: Option<Lease>,
    /// The owner wants the lock.
    pub(super) wants: bool,
    /// Its client has had the lock lately.
    pub(super) is_modest: bool,
    /// The owner waits to be told how a release went.
    is_releasing: bool,
}

/// That a server was asked to tell of changes.
#[derive(Debug)]
struct Alert {
    asked: Ticket,
    /// What it said: that it will, or not.
    said: Option<bool>,
    /// Somebody was told of a change since it was asked.
    told: bool,
}

impl Ledger {
    pub(super) fn new(seats: usize, settings: Settings) -> Self {
        Self {
            seats,
            settings,
            token: None,
            ours: Tokens::default(),
            used: Tokens::default(),
            reads: Vec::new(),
            extensions: Vec::new(),
            alerts: BTreeMap::new(),
            granted: BTreeSet::new(),
            extended: BTreeSet::new(),
            claimed_at: None,
            extended_at: None,
            lease: None,
            wants: false,
            is_modest: false,
            is_releasing: false,
        }
    }

    /// A new attempt: what was answered before says nothing about it.
    pub(super) fn begin(&mut self, token: Token) {
        assert!(self.used.insert(token), "each attempt has a token of its own");
        self.token = Some(token);
        self.ours.insert(token);
        self.reads.clear();
        self.extensions.clear();
        self.alerts.clear();
        self.granted.clear();
        self.claimed_at = None;
    }

    /// The owner wants it, and may hold back before the first attempt.
    pub(super) fn want(&mut self, is_modest: bool) {
        (self.wants, self.is_modest) = (true, is_modest);
        self.alerts.clear();
    }

    /// The owner has let go, and waits to be told about it or not.
    pub(super) fn let_go(&mut self, is_releasing: bool) {
        self.wants = false;
        self.lease = None;
        self.is_releasing = is_releasing;
    }

    pub(super) fn begin_extension(&mut self) {
        self.extensions.clear();
        self.extended.clear();
        self.extended_at = None;
    }

    /// I9: nothing but releases leaves when nobody wants the lock, and each request has its phase.
    pub(super) fn send(
        &mut self,
        ticket: Ticket,
        command: &Command<'_>,
        phase: Phase,
        now: Instant,
    ) {
        assert!(ticket.server() < self.seats);
        match command {
            Command::Claim { token, ttl, .. } => {
                assert!(self.wants && phase == Phase::Asking, "claims in {phase:?}");
                assert_eq!((Some(**token), *ttl), (self.token, self.settings.ttl));
                self.claimed_at.get_or_insert(now);
            }
            Command::Read { .. } => {
                assert!(self.wants && phase == Phase::Asking, "reads in {phase:?}");
                self.reads.push(ticket);
            }
            Command::Extend { token, .. } => {
                assert!(self.wants && phase == Phase::Extending, "extends in {phase:?}");
                assert_eq!(Some(**token), self.token);
                self.extended_at.get_or_insert(now);
                self.extensions.push(ticket);
            }
            Command::Release { token, .. } => {
                assert!(self.used.contains(*token), "releases what was never ours");
                // A server that did not grant owes the key back, also when the others suffice.
                let is_held = matches!(phase, Phase::Held | Phase::Extending);
                let counts = Some(**token) == self.token && self.granted.contains(&ticket.server());
                assert!(!is_held || !counts, "releases what it holds");
            }
            Command::Expiry { .. } => {
                assert!(self.wants && phase == Phase::Pausing, "asks to be told in {phase:?}");
                assert!(self.settings.wake, "asks to be told, and must not");
                let alert = Alert { asked: ticket, said: None, told: false };
                let before = self.alerts.insert(ticket.server(), alert);
                // Who was told may look before it tries.
                let again = before.is_none_or(|alert| alert.told && alert.said.is_some());
                assert!(again, "asks twice in one pause");
            }
            other => panic!("a lock asks for nothing else: {other:?}"),
        }
    }

    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer) {
        let alert = self.alerts.get_mut(&ticket.server()).filter(|alert| alert.asked == ticket);
        if let Some(alert) = alert {
            alert.said = Some(matches!(answer, Answer::Integer(_)));
        }
        let shows_ours = matches!(answer, Answer::Token(token) if Some(token) == self.token);
        if shows_ours && self.reads.contains(&ticket) {
            self.granted.insert(ticket.server());
        }
        if shows_ours && self.extensions.contains(&ticket) {
            self.extended.insert(ticket.server());
        }
    }

    /// The key may be free.
    pub(super) fn told(&mut self) {
        self.alerts.values_mut().for_each(|alert| alert.told = true);
    }

    /// Whether all servers that were asked to tell of changes will.
    pub(super) fn sleeps(&self, phase: Phase) -> bool {
        let all = self.alerts.values().all(|alert| alert.said == Some(true));
        phase == Phase::Pausing && !self.alerts.is_empty() && all
    }

    pub(super) fn event(&mut self, event: Event, now: Instant) {
        let majority = majority(self.seats);
        match event {
            Event::Acquired(lease) => {
                assert!(self.wants && self.lease.is_none(), "acquired by nobody, or twice");
                assert!(self.granted.len() >= majority, "held by {:?} only", self.granted);
                self.check_lease(lease, self.claimed_at, now);
                self.lease = Some(lease);
                self.begin_extension();
            }
            Event::Extended(lease) => {
                let before = self.lease.expect("extended, and not held");
                assert!(lease.until() >= before.until(), "more time, not less");
                assert!(self.extended.len() >= majority, "extended by {:?} only", self.extended);
                self.check_lease(lease, self.extended_at, now);
                self.lease = Some(lease);
            }
            Event::Denied(tally) => {
                assert!(self.wants && self.lease.is_none(), "denied to nobody");
                assert_eq!(tally.configured, self.seats);
                self.let_go(false);
            }
            Event::Lost(loss) => {
                assert!(self.wants && self.lease.is_some(), "lost, and not held");
                assert_ne!(loss, Loss::ServerRestarted, "that is not for the machine to say");
                self.let_go(false);
            }
            Event::Released(_) => {
                assert!(self.is_releasing, "released, and nobody asked for it");
                self.let_go(false);
            }
            _ => {}
        }
    }

    /// The lease counts from before the first request, and is over before the key can be.
    fn check_lease(&self, lease: Lease, first_sent: Option<Instant>, now: Instant) {
        let sent = first_sent.expect("a lease without a request");
        let ttl = self.settings.ttl.as_duration();
        let validity = ttl.saturating_sub(self.settings.drift.of(self.settings.ttl));
        assert!(lease.until() <= sent.saturating_add(validity), "longer than its ttl");
        assert!(lease.is_valid(now), "over before it began");
    }

    /// What the machine believes is what it was told to the owner; time alone may have ended it.
    pub(super) fn check_belief(&self, phase: Phase, lease: Option<Lease>, now: Instant) {
        let is_held = matches!(phase, Phase::Held | Phase::Extending);
        assert_eq!(is_held, lease.is_some());
        assert_eq!(lease, self.lease, "in {phase:?}");
        assert!(lease.is_none_or(|lease| lease.is_valid(now)), "believed for too long");
        let is_wanted = !matches!(phase, Phase::Idle | Phase::Releasing);
        assert!(self.wants || !is_wanted, "{phase:?} for nobody");
    }
}
