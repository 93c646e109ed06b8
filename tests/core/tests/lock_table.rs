//! The lock machine, one row one case: where it stands, what happens, what it wants, where it
//! stands then. Requirements 1, 3-9 and checks 1-16 of the peers' bugs as far as one machine can
//! show them; the names say which.

mod lock_bench;

use core::time::Duration;

use lock_bench::{
    ADOPTED, ASKING, ASKING_AGAIN, Bench, DETACHED, EXTENDING, HELD, HELD_3, HELD_ALL_3, ONCE,
    ONE_SECOND, PAUSING, RELEASING, TWICE_MORE,
};
use redlatch_core::{
    Answer, Delay, Drift, Instant, Lock, Output, Phase, Renew, Retry, Seat, Settings, Token, Ttl,
};

/// Name, servers, policy, how to get there, what happens, what comes out, where it stands then.
type Row = (&'static str, usize, Retry, &'static str, &'static str, &'static str, Phase);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Phase::{Asking, Extending, Held, Idle, NeedToken, Pausing, Releasing};
    &[
    // ---- taking, one server
    ("a lock begins by asking for a token (R2)", 1, ONCE, "", "acquire", "token?", NeedToken),
    ("SET and GET leave together (R1)", 1, ONCE, "acquire", "provide", "0.claim, 0.read", Asking),
    ("OK alone is not enough (R16)", 1, ONCE, ASKING, "0.claim=ok", "", Asking),
    ("our token read back is ownership (R16)", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=ours", "acquired 2968", Held),
    ("a stray OK where the value is due proves nothing (R16)", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=ok", "", Asking),
    ("OK and then another's token: not acquired (R16)", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=token", "denied held", Idle),
    ("OK and then nothing there: not acquired", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=nil", "denied held", Idle),
    ("null waits for the value", 1, ONCE, ASKING, "0.claim=nil", "", Asking),
    ("null and another's value: held, nothing to release", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=other", "denied held", Idle),
    ("null although the key shows our token: ours (R6)", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=ours", "acquired 2968", Held),
    ("null and gone since: held by somebody quicker", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=nil", "denied held", Idle),
    ("another type under the key: held, never deleted (R11, P24)", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=WRONGTYPE Operation", "denied held", Idle),
    ("also when it came after our claim", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=WRONGTYPE Operation", "denied held", Idle),
    ("also when the claim is in doubt; what is owed goes out", 1, ONCE, "acquire;provide;0.claim=lost", "0.read=WRONGTYPE Operation", "0.release, denied held", Idle),
    ("another type under the key, said to the claim", 1, ONCE, ASKING, "0.claim=WRONGTYPE Operation", "denied held", Idle),
    ("the lease counts from before the first byte (R4)", 1, ONCE, "acquire;provide;late 400;0.claim=ok", "0.read=ours", "acquired 2568", Held),
    ("a late answer to an old claim counts for nothing (F40)", 1, TWICE_MORE, ASKING_AGAIN, "0.claim-old=ok;0.claim-old=LOADING x", "", Asking),
    ("a late answer to an old read counts for nothing (F40)", 1, TWICE_MORE, ASKING_AGAIN, "0.read=ours;0.read=other", "", Asking),
    ("a waiter sends GET only when SET was not refused: refused", 1, TWICE_MORE, ASKING_AGAIN, "0.claim=nil", "", Pausing),
    ("a waiter sends GET only when SET was not refused: taken", 1, TWICE_MORE, ASKING_AGAIN, "0.claim=ok", "0.read", Asking),
    ("a waiter, too, believes only our token", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;after 100;provide;0.claim=ok", "0.read=ours", "acquired 2968", Held),
    ("and only as it is now, not as it was", 1, TWICE_MORE, "acquire;provide;0.claim=LOADING x;after 100;provide;0.claim=ok", "0.read-old=ours", "", Asking),
    ("a waiter in doubt sends GET", 1, TWICE_MORE, ASKING_AGAIN, "0.claim=lost", "0.read", Asking),
    ("a waiter whose SET was not sent sends it again", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;after 100;provide;0.claim=unsent", "after 10", "0.claim", Asking),
    ("a second acquire while asking changes nothing", 1, ONCE, ASKING, "acquire", "", Asking),
    ("a token is not used twice (P15)", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;after 100", "reuse", "reuse refused true, token?", NeedToken),

    // ---- doubt
    ("the reply to SET is lost: GET decides, ours (R6, P1)", 1, ONCE, "acquire;provide;0.claim=lost;0.read=lost;after 10", "0.read=ours", "acquired 2958", Held),
    ("GET is lost as well: it is asked again (R6)", 1, ONCE, "acquire;provide;0.claim=lost;0.read=lost", "after 10", "0.read", Asking),
    ("GET cannot be sent: it is asked again", 1, ONCE, "acquire;provide;0.claim=lost;0.read=unsent", "after 10", "0.read", Asking),
    ("lost, and GET finds nothing: a release is owed all the same (F31)", 1, ONCE, "acquire;provide;0.claim=lost;late 500", "0.read=nil", "0.release, denied unreachable", Idle),
    ("lost, and GET finds another: denied, a release is owed (F31)", 1, ONCE, "acquire;provide;0.claim=lost", "0.read=other", "0.release, denied held", Idle),
    ("silence: in doubt, released, not believed (P1)", 1, ONCE, ASKING, "after 500", "0.release, denied unreachable", Idle),
    ("the answer comes after the attempt: not believed", 1, ONCE, "acquire;provide;after 500", "0.claim=ok", "", Idle),
    ("an unknown error leaves doubt: GET decides (F26)", 1, ONCE, "acquire;provide;0.claim=ERR whatever", "0.read=ours", "acquired 2968", Held),
    ("an answer that cannot be is doubt: GET decides", 1, ONCE, "acquire;provide;0.claim=1", "0.read=nil", "0.release", Pausing),
    ("OK, but GET is refused for good: released", 1, ONCE, "acquire;provide;0.claim=ok", "0.read=NOPERM no", "0.release, denied refused NoPermission", Idle),
    ("OK, but GET is refused for now: asked again", 1, ONCE, "acquire;provide;0.claim=ok;0.read=LOADING", "after 10", "0.read", Asking),
    ("null, and the connection dies before GET: held, and a release is owed: replies may have been out of step (F40)", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=lost", "0.release, denied held", Idle),
    ("null, and GET is not sent: held, nothing to release", 1, ONCE, "acquire;provide;0.claim=nil", "0.read=unsent", "denied held", Idle),
    ("never sent: nothing is owed, it is tried again", 1, ONCE, "acquire;provide;0.read=unsent;0.claim=unsent", "after 10", "0.claim, 0.read", Asking),
    ("never sent, never reachable: denied in time, nothing owed (F43)", 1, ONCE, "acquire;provide;0.read=unsent;0.claim=unsent", "late 490;after 10", "denied unreachable", Idle),

    // ---- refusals
    ("a refusal is no vote (F2)", 1, ONCE, ASKING, "0.claim=BUSY Redis is busy", "denied refused Busy", Idle),
    ("a replica has no vote (F4)", 1, ONCE, ASKING, "0.claim=READONLY You can't", "denied refused ReadOnly", Idle),
    ("full memory (F7)", 1, ONCE, ASKING, "0.claim=OOM command", "denied refused OutOfMemory", Idle),
    ("a refusal is tried again when the policy says so", 1, TWICE_MORE, "acquire;provide;0.claim=LOADING x", "after 100", "token?", NeedToken),
    ("missing rights are told at once, whatever the policy (F16)", 1, TWICE_MORE, ASKING, "0.claim=NOPERM x", "denied refused NoPermission", Idle),
    ("missing password is told at once (F15)", 1, ONE_SECOND, ASKING, "0.claim=NOAUTH x", "denied refused NoAuth", Idle),

    // ---- retrying
    ("held: pause", 1, TWICE_MORE, "acquire;provide;0.claim=nil", "0.read=other", "", Pausing),
    ("the pause is what the policy says (P29)", 1, TWICE_MORE, PAUSING, "after 99", "", Pausing),
    ("after the pause a fresh token (R2)", 1, TWICE_MORE, PAUSING, "after 100", "token?", NeedToken),
    ("a hint ends the pause at once", 1, TWICE_MORE, PAUSING, "hint", "token?", NeedToken),
    ("a hint during an attempt is remembered (P19)", 1, TWICE_MORE, "acquire;provide;hint;0.claim=nil;0.read=other", "after 1", "token?", NeedToken),
    ("a hint while held does nothing", 1, ONCE, HELD, "hint", "", Held),
    ("retries end (R9)", 1, TWICE_MORE, "acquire;provide;0.claim=nil;0.read=other;after 100;provide;0.claim=nil;after 100;provide", "0.claim=nil", "denied held", Idle),
    ("the last pause ends at the deadline (R9)", 1, ONE_SECOND, "acquire;provide;0.claim=nil;0.read=other;after 300;provide;late 450;0.claim=nil", "after 249;after 1", "token?", NeedToken),
    ("the deadline ends the retries (R9)", 1, ONE_SECOND, "acquire;provide;0.claim=nil;0.read=other;after 300;provide;late 450;0.claim=nil;after 250;provide", "0.claim=nil", "denied held", Idle),
    ("an attempt that nobody answered does not count, at first", 1, ONCE, "acquire;provide;0.claim=lost;0.read=lost;after 10;0.read=nil", "after 10", "token?", NeedToken),
    ("but not for longer than an attempt may take", 1, ONCE, "acquire;provide;0.claim=lost;late 500", "0.read=nil", "0.release, denied unreachable", Idle),
    ("abandon while asking: released, no event (P12)", 1, ONCE, ASKING, "abandon", "0.release", Idle),
    ("abandon when the claim was not applied: nothing owed", 1, ONCE, "acquire;provide;0.claim=nil", "abandon;settled?", "settled", Idle),
    ("abandon before the token: nothing", 1, ONCE, "acquire", "abandon", "", Idle),
    ("abandon while pausing: nothing owed", 1, TWICE_MORE, PAUSING, "abandon", "", Idle),
    ("release while asking gives up (P12)", 1, ONCE, ASKING, "release", "0.release, released not held", Idle),

    // ---- holding
    ("the lease runs out: lost, told once, cleaned up (R7)", 1, ONCE, HELD, "after 2968", "0.release, lost expired", Idle),
    ("lost stays lost (P16)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;after 2968", "after 1", "", Idle),
    ("one millisecond before, it is held", 1, ONCE, HELD, "after 2967", "", Held),
    ("suspended past the lease: lost before anything else is done (F36)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 4000", "extend", "0.release, lost expired", Idle),
    ("abandon while held: released, no event (P13)", 1, ONCE, HELD, "abandon", "0.release", Idle),
    ("nothing is believed before our token is read back", 1, ONCE, "acquire;provide;0.claim=ok", "lease?", "no lease", Asking),
    ("the lease is shown while it lasts", 1, ONCE, HELD, "late 1000;lease?", "lease 1968", Held),
    ("also while more time is asked for", 1, ONCE, EXTENDING, "lease?", "lease 2968", Extending),
    ("not while it is given back", 1, ONCE, RELEASING, "lease?", "no lease", Releasing),
    ("what is held is not settled", 1, ONCE, HELD, "settled?", "owes", Held),
    ("nor is a lock that is asked for", 1, ONCE, "", "settled?;acquire;settled?", "settled, token?, owes, token?", NeedToken),

    // ---- extending
    ("extend asks by digest", 1, ONCE, HELD, "extend", "0.extend", Extending),
    ("our token: extended, from when it was asked (R4)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 1000;extend;late 100", "0.extend=ours", "extended 2868", Held),
    ("NOSCRIPT: once more in full (F1, P23)", 1, ONCE, EXTENDING, "0.extend=NOSCRIPT x", "0.extend in full", Extending),
    ("NOSCRIPT for ever ends", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;0.extend=NOSCRIPT x", "0.extend=NOSCRIPT x", "not extended", Held),
    ("the key is gone: lost (R7)", 1, ONCE, EXTENDING, "0.extend=0", "0.release, lost deleted", Idle),
    ("the key is another's: lost (R7)", 1, ONCE, EXTENDING, "0.extend=-1", "0.release, lost stolen", Idle),
    ("another type under the key: lost (F17)", 1, ONCE, EXTENDING, "0.extend=WRONGTYPE x", "0.release, lost stolen", Idle),
    ("another's token in the reply is no success (R16)", 1, ONCE, EXTENDING, "0.extend=token", "", Extending),
    ("a refusal keeps lock and deadline (R7, P4)", 1, ONCE, EXTENDING, "0.extend=READONLY x", "not extended", Held),
    ("after a failed extension the old deadline stands (P4)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 1000;extend;0.extend=BUSY x", "after 1968", "0.release, lost expired", Idle),
    ("a lost reply is asked again: extending twice is extending", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;0.extend=lost", "after 10", "0.extend", Extending),
    ("not sent: asked again", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;0.extend=unsent", "after 10", "0.extend", Extending),
    ("silence: not extended, still held", 1, ONCE, EXTENDING, "after 500", "not extended", Held),
    ("silence past the lease: lost", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 2900;extend", "after 68", "0.release, lost expired", Idle),
    ("the answer comes after the lease: lost stays lost", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;late 2900;extend;late 100", "0.extend=ours", "0.release, lost expired", Idle),
    ("extend when nothing is held", 1, ONCE, "", "extend", "not extended", Idle),
    ("extend while extending changes nothing", 1, ONCE, EXTENDING, "extend", "", Extending),
    ("release while extending: no extension is sent after it (R8, F48)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;0.extend=lost;release", "after 10", "", Releasing),
    ("the extension's answer after the release counts for nothing", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;release", "0.extend=ours", "", Releasing),

    // ---- releasing
    ("release by digest", 1, ONCE, HELD, "release", "0.release", Releasing),
    ("our token: it was ours until now", 1, ONCE, RELEASING, "0.release=ours", "released", Idle),
    ("gone: it was not", 1, ONCE, RELEASING, "0.release=0", "released not held", Idle),
    ("another's: it was not", 1, ONCE, RELEASING, "0.release=-1", "released not held", Idle),
    ("another type under the key: it was not (F17)", 1, ONCE, RELEASING, "0.release=WRONGTYPE x", "released not held", Idle),
    ("and nothing is owed, whatever was found", 1, ONCE, RELEASING, "0.release=0;settled?", "released not held, settled", Idle),
    ("NOSCRIPT: once more in full (P23)", 1, ONCE, RELEASING, "0.release=NOSCRIPT x", "0.release in full", Releasing),
    ("NOSCRIPT for ever: later again, by digest", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=NOSCRIPT x;0.release=NOSCRIPT x", "after 10", "0.release", Releasing),
    ("refused: repeated (F8)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=MISCONF x", "after 10", "0.release", Releasing),
    ("lost: repeated", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=lost", "after 10", "0.release", Releasing),
    ("lost, and nothing there when repeated: nobody can tell (R6)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=lost;after 10", "0.release=0", "released unconfirmed", Idle),
    ("refused, and nothing there when repeated: it was not ours", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;0.release=BUSY x;after 10", "0.release=0", "released not held", Idle),
    ("silence: unconfirmed", 1, ONCE, RELEASING, "after 500", "released unconfirmed", Idle),
    ("and repeated when the connection turns out to be dead (M4)", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;release;after 500;0.release=lost", "after 10", "0.release", Idle),
    ("release when nothing is held", 1, ONCE, "", "release", "released not held", Idle),
    ("release twice: one release", 1, ONCE, RELEASING, "release", "", Releasing),
    ("release after the loss", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;after 2968", "release", "released not held", Idle),

    // ---- debts
    ("a debt is repeated until acknowledged (M4)", 1, ONCE, "acquire;provide;after 500;0.release=lost", "after 10", "0.release", Idle),
    ("its pauses double", 1, ONCE, "acquire;provide;after 500;0.release=lost;after 10;0.release=lost", "after 10", "", Idle),
    ("a debt ends when the key has surely expired", 1, ONCE, "acquire;provide;after 500;0.claim=lost;0.release=lost", "after 5000", "", Idle),
    ("it has not while an extension may be on its way, on a connection that is not given up or that left it behind", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;extend;abandon;0.release=unsent", "after 3532;settled?", "0.release, owes", Idle),
    ("not while the claim is still on its way", 1, ONCE, "acquire;provide;after 500;0.release=lost", "after 4000", "0.release", Idle),
    ("the claim may come late: the release is repeated (F31)", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=0", "late 10;after 490", "0.release", Idle),
    ("not before that has had its time", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=0", "after 490", "", Idle),
    ("what is found missing then is settled", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=0;after 500;0.release=0", "after 4000", "", Idle),
    ("deleted is final (F31)", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=ours", "after 4000", "", Idle),
    ("the claim turns out not applied: nothing is owed", 1, ONCE, "acquire;provide;abandon;0.claim=nil", "after 600", "", Idle),
    ("the claim turns out never sent: nothing is owed", 1, ONCE, "acquire;provide;abandon;0.claim=unsent", "after 600", "", Idle),
    ("neither is settled before the answer", 1, ONCE, "acquire;provide;abandon", "settled?", "owes", Idle),
    ("not applied: settled", 1, ONCE, "acquire;provide;abandon", "0.claim=nil;settled?", "settled", Idle),
    ("never sent: settled", 1, ONCE, "acquire;provide;abandon", "0.claim=unsent;settled?", "settled", Idle),
    ("refused: settled", 1, ONCE, "acquire;provide;abandon", "0.claim=BUSY x;settled?", "settled", Idle),
    ("an unknown error: in doubt, still owed (F26)", 1, ONCE, "acquire;provide;abandon", "0.claim=ERR x;settled?", "owes", Idle),
    ("the claim was applied: still owed", 1, ONCE, "acquire;provide;abandon", "0.claim=ok;settled?", "owes", Idle),
    ("its reply is lost: still owed", 1, ONCE, "acquire;provide;abandon", "0.claim=lost;settled?", "owes", Idle),
    ("nothing there, and the claim was answered: settled", 1, ONCE, "acquire;provide;abandon;0.claim=ok", "0.release=0;settled?", "settled", Idle),
    ("nothing there after the claim had its time: settled", 1, ONCE, "acquire;provide;abandon;0.claim=lost;0.release=0;after 500", "0.release=0;settled?", "settled", Idle),
    ("nothing there before that: still owed", 1, ONCE, "acquire;provide;abandon;0.claim=lost", "0.release=0;settled?", "owes", Idle),
    ("a new attempt begins although one release is out", 1, ONCE, "acquire;provide;abandon;acquire", "provide", "0.claim, 0.read", Asking),
    ("and is not disturbed by it", 1, ONCE, "acquire;provide;abandon;acquire;provide", "0.claim=ok;0.read=ours", "acquired 2968", Held),
    ("nor by its answer", 1, ONCE, "acquire;provide;abandon;acquire;provide;0.claim=ok;0.read=ours", "0.release=lost;late 10;0.claim-old=ok", "0.release", Held),
    ("nor does that speak for a later release", 1, ONCE, "acquire;provide;abandon;acquire;provide;0.claim=ok;0.read=ours;release", "0.release-old=0", "", Releasing),
    ("with two releases unanswered the server abstains (R20)", 1, ONCE, "acquire;provide;abandon;acquire;provide;abandon;acquire", "provide", "", Pausing),

    // ---- detached and adopted
    ("a lock that is detached is owed to nobody", 1, ONCE, HELD, "detach;after 5000", "detached", Idle),
    ("what is not held is not detached", 1, ONCE, ASKING, "detach", "not detached", Asking),
    ("nor what is being given back", 1, ONCE, RELEASING, "detach", "not detached", Releasing),
    ("a vote that the others made needless is not asked for again while extending", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;extend;2.read=lost", "after 10", "", Extending),
    ("nor is a claim that was never sent", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;extend;2.claim=unsent", "after 10", "", Extending),
    ("whoever asks again as it runs out is told of the loss first", 1, ONCE, HELD, "late 2968;acquire", "0.release, lost expired", Idle),
    ("and so is who adopts another then", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;acquire;provide;0.claim=ok;0.read=ours", "late 2968;adopt", "not adopted, 0.release, lost expired", Idle),
    ("nor what was lost meanwhile", 1, ONCE, HELD, "late 2968;detach", "not detached, 0.release, lost expired", Idle),
    ("the extension of a detached lock counts for nothing", 1, ONCE, EXTENDING, "detach;0.extend=ours;after 5000", "detached", Idle),
    ("so does a late vote for it", 3, ONCE, HELD_3, "detach;2.claim=ok;2.read=ours;release", "detached, released not held", Idle),
    ("an adopted lock is released under its own token", 1, ONCE, DETACHED, "adopt", "0.release", Releasing),
    ("and confirmed by it", 1, ONCE, ADOPTED, "0.release=ours;after 5000", "released", Idle),
    ("by nobody else's", 1, ONCE, ADOPTED, "0.release=token", "", Releasing),
    ("it was not ours any more", 1, ONCE, ADOPTED, "0.release=-1", "released not held", Idle),
    ("it had expired; a late claim may come, so once more", 1, ONCE, ADOPTED, "0.release=0;after 500;0.release=0;after 5000", "released not held, 0.release", Idle),
    ("a lost reply leaves doubt, which is told", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;adopt;0.release=lost;after 10", "0.release=0", "released unconfirmed", Idle),
    ("silence is told, and the release is owed", 1, ONCE, ADOPTED, "after 500;0.release=lost;after 20", "released unconfirmed, 0.release", Idle),
    ("until the key has surely expired", 1, ONCE, ADOPTED, "after 500;0.release=unsent;late 3032;after 4000", "released unconfirmed", Idle),
    ("which it has when the first machine says so", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;late 2000;adopt;after 500;0.release=unsent", "after 2032;settled?", "settled", Idle),
    ("and not before", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;late 2000;adopt;after 500;0.release=unsent", "after 1031;settled?", "0.release, owes", Idle),
    ("an adopted lock is released on all servers", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;detach", "adopt", "0.release, 1.release, 2.release", Releasing),
    ("a majority confirms it", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;detach;adopt;0.release=ours", "2.release=ours", "released", Idle),
    ("a machine at work adopts nothing", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;acquire;provide", "adopt", "not adopted", Asking),
    ("a server that owes no answer for two releases is not asked for a third", 1, ONCE, "acquire;provide;0.claim=ok;0.read=ours;detach;acquire;provide;abandon;acquire;provide;abandon", "adopt", "released unconfirmed", Idle),

    // ---- three servers
    ("all are asked at once (M6)", 3, ONCE, "acquire", "provide", "0.claim, 0.read, 1.claim, 1.read, 2.claim, 2.read", Asking),
    ("two of three is a majority, without waiting for the third (F42)", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok", "1.read=ours", "acquired 2968", Held),
    ("one error does not hide two votes (P9)", 3, ONCE, "acquire;provide;0.claim=OOM x;1.claim=ok;1.read=ours;2.claim=ok", "2.read=ours", "acquired 2968", Held),
    ("a lost majority settles at once, and the minority is released at once (R5, P10)", 3, TWICE_MORE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=nil;1.read=other;2.claim=nil", "2.read=other", "0.release", Pausing),
    ("released too where no answer came (P11)", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=OOM x", "after 500", "0.release, 2.release, denied refused OutOfMemory", Idle),
    ("a majority that comes too late is no lock (R4, P6)", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;late 3000", "1.read=ours", "0.release, 1.release, 2.release, denied toolate", Idle),
    ("a vote that comes after the decision is kept", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours", "release", "0.release, 1.release, 2.release", Releasing),
    ("the release goes also to the server that never answered (P11)", 3, ONCE, HELD_3, "release", "0.release, 1.release, 2.release", Releasing),
    ("two of three releases confirm", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;release;0.release=ours", "1.release=ours", "released", Idle),
    ("two of three not ours: it was lost", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;release;0.release=0", "1.release=0", "released not held", Idle),
    ("two of three extensions extend (M10)", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;extend;0.extend=ours", "1.extend=ours", "extended 2968", Held),
    ("one of three extensions does not", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours;extend;0.extend=ours;1.extend=OOM x", "2.extend=OOM x", "not extended", Held),
    ("one key gone of three: extended by the other two", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours;extend;0.extend=0;1.extend=ours", "2.extend=ours", "extended 2968", Held),
    ("two keys gone of three: lost", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours;extend;0.extend=0", "1.extend=-1", "0.release, 1.release, 2.release, lost stolen", Idle),
    ("extension goes to all that may hold", 3, ONCE, HELD_ALL_3, "extend", "0.extend, 1.extend, 2.extend", Extending),
    ("also to one that has not answered", 3, ONCE, HELD_3, "extend", "0.extend, 1.extend, 2.extend", Extending),
    ("but not to one that has nothing of ours", 3, ONCE, "acquire;provide;2.claim=BUSY x;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours", "extend", "0.extend, 1.extend", Extending),
    ("a claim that comes to nothing while the extension is out is lost once, not twice", 3, ONCE, "acquire;provide;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours;extend;0.claim=nil;0.extend=-1;1.extend=ours", "after 500", "not extended", Held),
    ("what is given back while the extension is out is not extended", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;extend;2.read=NOPERM no;2.extend=ours", "0.extend=ours;1.extend=OOM x", "not extended", Held),
    ("nor is what may come late", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=lost;extend;2.read=nil;2.extend=ours", "0.extend=ours;1.extend=OOM x", "not extended", Held),
    ("which counts when a majority is sought", 3, ONCE, "acquire;provide;2.claim=BUSY x;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;extend", "0.extend=0", "0.release, 1.release, lost deleted", Idle),
    ("an answer to another request is none to the extension", 3, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;extend;2.claim=ok;2.read=lost", "0.extend=ours;2.extend=ours", "extended 2968", Held),
    ("a claim that did not get out is not sent again once it is held", 3, ONCE, HELD_3, "2.read=unsent;2.claim=unsent;after 10", "", Held),
    ("nor is a value read again", 3, ONCE, HELD_3, "2.claim=lost;2.read=lost;after 10", "", Held),
    ("a vote that is decided is not changed by its release", 3, ONCE, "acquire;provide;0.claim=lost;0.read=other;0.release=0", "1.claim=BUSY x", "2.release, denied held", Idle),

    // ---- even numbers
    ("a tie settles at once (P5)", 2, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=nil", "1.read=other", "0.release, denied held", Idle),
    ("two of two is needed (P14)", 2, ONCE, "acquire;provide;0.claim=ok", "0.read=ours", "", Asking),
    ("two of four is no majority (P5)", 4, ONCE, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=nil;2.read=other;3.claim=nil", "3.read=other", "0.release, 1.release, denied held", Idle),
    ("no server at all", 0, ONCE, "acquire", "provide", "denied unreachable", Idle),
    ]
};

/// Renewing after a third of the ttl, for five seconds: name, servers, how to get there, what
/// happens, what comes out, where it stands then.
type RenewRow = (&'static str, usize, &'static str, &'static str, &'static str, Phase);

#[rustfmt::skip]
const RENEW_ROWS: &[RenewRow] = {
    use Phase::{Extending, Held, Idle, Releasing};
    const RENEWING: &str = "acquire;provide;0.claim=ok;0.read=ours;after 1000";
    &[
    ("a third of the ttl has passed: renew", 1, HELD, "after 1000", "0.extend", Extending),
    ("not before", 1, HELD, "after 999", "", Held),
    ("renewed, from when it was asked (R4)", 1, RENEWING, "late 100;0.extend=ours", "extended 2868", Held),
    ("and again a third later", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;late 100;0.extend=ours", "after 900", "0.extend", Extending),
    ("the whole hold is bounded (R8, P18)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=ours;after 1000;0.extend=ours", "after 2967", "", Held),
    ("and then ends with that reason (R8)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=ours;after 1000;0.extend=ours", "after 2968", "0.release, lost capped", Idle),
    ("a renewal that fails is not told, and tried again soon", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=LOADING x", "after 250", "0.extend", Extending),
    ("a renewal that fails keeps the deadline (R7)", 1, RENEWING, "0.extend=LOADING x", "", Held),
    ("refused until the end: lost with that reason", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=LOADING x;late 1900", "late 68;hint", "0.release, lost refused", Idle),
    ("a lost reply is asked again (R8)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=lost", "after 10", "0.extend", Extending),
    ("a server that comes back in time is asked again (R8)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=unsent;after 10;0.extend=unsent;after 10", "0.extend=ours", "extended 2948", Held),
    ("silence until the end: lost with that reason", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;after 500;after 250;after 500;after 250", "after 468", "0.release, lost unreachable", Idle),
    ("the key is gone: lost, not created again (R8)", 1, RENEWING, "0.extend=0", "0.release, lost deleted", Idle),
    ("the key is another's: lost", 1, RENEWING, "0.extend=-1", "0.release, lost stolen", Idle),
    ("release while renewing: no renewal after it (R8, P17)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=lost;release", "after 400", "", Releasing),
    ("abandon while renewing: no renewal after it (R8)", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;0.extend=lost;abandon;0.release=ours", "after 5000", "", Idle),
    ("who asks while it is renewed is told of that", 1, "acquire;provide;0.claim=ok;0.read=ours;after 1000;extend", "0.extend=LOADING x", "not extended", Held),
    ("an extension that the owner asks for counts as renewal", 1, "acquire;provide;0.claim=ok;0.read=ours;late 900;extend;0.extend=ours", "after 999", "", Held),
    ("a minority that cannot renew does not matter", 3, "acquire;provide;0.claim=ok;0.read=ours;1.claim=ok;1.read=ours;2.claim=ok;2.read=ours;after 1000;0.extend=OOM x;1.extend=ours", "2.extend=ours", "extended 2968", Held),
    ]
};

#[test]
fn every_row_of_renewing() {
    let rows = RENEW_ROWS.iter().map(|(name, servers, before, steps, wanted, phase)| {
        let renew = Renew { divisor: 3, most: Some(Duration::from_secs(5)) };
        let bench = Bench::with(*servers, |settings| settings.renew = Some(renew));
        (*name, bench, *before, *steps, *wanted, *phase)
    });
    run(rows);
}

#[test]
fn every_row() {
    let rows = ROWS.iter().map(|(name, servers, retry, before, steps, wanted, phase)| {
        (*name, Bench::new(*servers, *retry), *before, *steps, *wanted, *phase)
    });
    run(rows);
}

type Case = (&'static str, Bench, &'static str, &'static str, &'static str, Phase);

fn run(cases: impl ExactSizeIterator<Item = Case>) {
    let (mut failed, count) = (Vec::new(), cases.len());
    for (name, mut bench, before, steps, wanted, phase) in cases {
        for step in before.split(';').filter(|step| !step.is_empty()) {
            bench.step(step);
        }
        bench.output.clear();
        for step in steps.split(';') {
            bench.step(step);
        }
        let got = bench.output.join(", ");
        if got != wanted || bench.lock.phase() != phase {
            let stands = bench.lock.phase();
            failed
                .push(format!("{name}\n   got: {got} | {stands:?}\n  want: {wanted} | {phase:?}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count}:\n{}", failed.len(), failed.join("\n"));
}

/// R8, P7: a policy that divides the ttl into nothing does not ask without a pause.
#[test]
fn two_renewals_are_a_millisecond_apart() {
    let renew = Renew { divisor: u32::MAX, most: None };
    let mut bench = Bench::with(1, |settings| settings.renew = Some(renew));
    HELD.split(';').for_each(|step| bench.step(step));
    for answer in ["ours", "LOADING x"] {
        bench.output.clear();
        bench.step("after 0");
        assert!(bench.output.is_empty(), "renewed at once: {:?}", bench.output);
        bench.step("after 1");
        assert_eq!(bench.output, ["0.extend"]);
        bench.step(&format!("0.extend={answer}"));
    }
}

/// R9, P7: extremes neither panic nor spin.
#[test]
fn extremes_neither_panic_nor_spin() {
    let extremes =
        [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(1), Duration::MAX];
    for delay in extremes {
        for deadline in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
            for base in
                [Delay::Fixed(delay), Delay::Exponential { base: delay, cap: Duration::MAX }]
            {
                let retry = Retry { delay: base, retries: Some(u32::MAX), deadline };
                for ttl in [1, 2, 3, Ttl::MAX_MILLIS] {
                    for now in [0, u64::MAX - 1, u64::MAX] {
                        extreme(retry, ttl, Instant::from_micros(now), delay);
                    }
                }
            }
        }
    }
}

fn extreme(retry: Retry, ttl: u64, now: Instant, reply_timeout: Duration) {
    let ttl = Ttl::from_millis(ttl).expect("within the limits");
    let drift = Drift { parts_per_million: u32::MAX, constant: Duration::MAX };
    let renew = Some(Renew { divisor: 0, most: None });
    let settings = Settings { ttl, drift, reply_timeout, retry, wake: true, renew };
    let mut lock = Lock::new("k", [Seat::default(); 1], settings, u64::MAX);
    let mut random = [7; 20];
    lock.acquire(now);
    for poll in 0..64_u8 {
        match lock.poll_output() {
            Output::NeedToken => {
                random[0] = poll + 100;
                let token = Token::from_random(random).expect("not constant");
                lock.provide(token, now).expect("fresh");
            }
            Output::Send { ticket, .. } => lock.handle_answer(ticket, Answer::Nil, now),
            Output::Event(_) => {}
            Output::Wait(_) => return,
        }
    }
    panic!("{settings:?} at {now:?} does not come to rest");
}

/// P3: a ttl of zero cannot be asked for.
#[test]
fn no_ttl_of_zero() {
    for span in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
        assert!(Ttl::new(span).is_err(), "{span:?}");
    }
    assert!(Ttl::from_millis(1 << 53).is_err());
}
