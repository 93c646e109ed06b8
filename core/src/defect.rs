//! One-line defects, by name, for a campaign that shows that each of them would be noticed.
//!
//! They exist in builds with `--cfg redlatch_defects` only, and there one at most is chosen for the
//! whole process. In every other build the compiler sees that none is there.

macro_rules! defects {
    ($($name:ident: $what:literal,)*) => {
        /// A defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(not(redlatch_defects), expect(unreachable_pub, reason = "the module is private"))]
        pub enum Defect {
            $(#[doc = $what] $name,)*
        }

        /// All of them, with what they do.
        #[cfg(redlatch_defects)]
        pub const ALL: &[(Defect, &str)] = &[$((Defect::$name, $what),)*];
    };
}

defects! {
    PlainDelete: "a release deletes the key, whoever has it",
    PlainExtend: "an extension extends the key, whoever has it",
    NoCondition: "a claim overwrites the key of another (no NX)",
    NoExpiry: "a claim sets no ttl (no PX)",
    HalfIsMajority: "half of the servers are enough, rounded down",
    CountedTwice: "a server that grants counts twice",
    ErrorGrants: "a server whose reply is lost counts as granting",
    OkGrants: "the reply to SET is believed, without reading the token back",
    NoDrift: "nothing is taken off the ttl",
    LeaseFromReply: "the lease counts from the reply",
    TooLateIsHeld: "a lease that is over when the majority has answered is told as held",
    LeaseNeverEnds: "the holder does not look at the end of its lease",
    TokenReused: "all attempts have the same token",
    MinorityKept: "what a failed attempt got is not given back",
    DoubtKept: "only servers that have answered get a release",
    CancelKeeps: "whoever loses interest gives nothing back",
    ClaimComesNever: "a release that finds nothing is the last, though a claim may still come",
    LostReleaseIsDone: "a release whose reply is lost is not repeated",
    NoRetry: "a failed attempt is the last",
    ExtendedFromReply: "an extended lease counts from the reply",
    ExtendedByOne: "one server is enough to extend",
    ExtendedInVain: "an extension that failed moves the end of the lease",
    OldReplyExtends: "the reply to an earlier extension counts for the present one",
    NoAbstention: "a server that was started again votes at once",
    RepliesSlip: "a reply of the wrong kind is taken for the answer",
    ScriptNeverSent: "a script that the server does not know is not sent in full",
    ClaimAfterRelease: "a claim that waits is sent after its owner has let go",
    GoneIsExtended: "a key that is gone counts as extended",
    SilenceIsForever: "a connection whose server is silent is kept",
    ExpiredKept: "what expired with its lease gets no release",
    NothingIsReturned: "a release that found nothing is taken for one that deleted the key",
    WitnessUnheard: "claims are taken for proven, whatever their witness shows",
    AlertForgotten: "a key that is gone when somebody asks to be told is waited for",
    HintIgnored: "whoever is told that the key may be free waits on",
    EarlyHintIgnored: "so does who is told before the answer to the question has come",
    ExpiryTimerNever: "who waits to be told does not look when the key has expired",
    ExpiryTimerEarly: "who waits to be told tries when half of the time is over",
    SpinOnHint: "whoever is told tries at once, however often it was in vain",
    LateRefusalUnasked: "a server that refuses after an attempt has failed is not asked to tell",
    TurnsWithoutEnd: "a client passes a lock on among its own for ever",
    NobodyStandsAside: "who has had the lock lately does not let others come first",
    RefusalIsConsent: "a server that refuses to tell is waited for",
}

#[cfg(redlatch_defects)]
static CHOSEN: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(u8::MAX);

/// Chooses the defect that the process has from now on.
#[cfg(redlatch_defects)]
pub fn choose(defect: Option<Defect>) {
    let number = defect.map_or(u8::MAX, |defect| defect as u8);
    CHOSEN.store(number, core::sync::atomic::Ordering::SeqCst);
}

/// Whether this defect was chosen.
#[cfg(redlatch_defects)]
pub(crate) fn has(defect: Defect) -> bool {
    CHOSEN.load(core::sync::atomic::Ordering::Relaxed) == defect as u8
}

/// No.
#[cfg(not(redlatch_defects))]
pub(crate) const fn has(_: Defect) -> bool {
    false
}
