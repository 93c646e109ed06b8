//! One page of plain text.

use core::fmt::Write as _;
use core::time::Duration;
use std::collections::BTreeSet;

use crate::book::Book;
use crate::course::Evidence;
use crate::histogram::Histogram;
use crate::options::Run;
use crate::plan::Class;
use crate::samples::growth;
use crate::verdict::{Verdict, least_faults};

/// The page.
pub(crate) fn page(run: &Run, evidence: &Evidence, verdict: &Verdict) -> String {
    let word = match verdict.status() {
        0 => "PASS",
        1 => "FAIL",
        _ => "VOID",
    };
    let book = evidence.book();
    let mut page = format!("soak: {word}   seed {}\n\n", evidence.seed);
    work(&mut page, evidence, &book);
    checks(&mut page, verdict);
    faults(&mut page, run, evidence);
    before_overlap(&mut page, evidence, &book);
    outcomes(&mut page, &book);
    times(&mut page, &book);
    growths(&mut page, evidence, &book);
    page
}

fn work(page: &mut String, evidence: &Evidence, book: &Book) {
    let seconds = evidence.lasted.as_secs_f64();
    let (acquired, updates) = (book.total("acquired"), &book.updates);
    let not = ["held", "timed-out", "cancelled"].map(|word| book.total(word)).iter().sum::<u64>();
    let _ = writeln!(page, "servers    {}", evidence.servers);
    let _ = writeln!(
        page,
        "work       {seconds:.0} s, {acquired} locks held, {not} not had, {:.0} turns a second",
        (acquired + not) as f64 / seconds.max(0.001)
    );
    let (beliefs, late) = (book.ledger.beliefs, updates.late());
    let _ = writeln!(
        page,
        "compared   {beliefs} times of holders, {} updates ({late} late: past their lease)",
        updates.writes()
    );
}

fn checks(page: &mut String, verdict: &Verdict) {
    page.push_str("\nchecks\n");
    for check in &verdict.checks {
        let _ = writeln!(page, "  {:<28}{:>8}", check.name, check.violations);
        for told in &check.told {
            let _ = writeln!(page, "      {told}");
        }
    }
    for reason in &verdict.void {
        let _ = writeln!(page, "  void: {reason}");
    }
}

fn faults(page: &mut String, run: &Run, evidence: &Evidence) {
    let least = least_faults(run);
    let _ = writeln!(page, "\nfaults (each at least {least})       seen without effect");
    for class in Class::ALL {
        let count = |of: &std::collections::BTreeMap<Class, u64>| of.get(&class).copied();
        let (seen, missed) = (count(&evidence.faults.seen), count(&evidence.faults.missed));
        let (seen, missed) = (seen.unwrap_or(0), missed.unwrap_or(0));
        let _ = writeln!(page, "  {class:<28}{seen:>8}{missed:>15}");
    }
    if let Some(reason) = &evidence.faults.failure {
        let _ = writeln!(page, "      the last that failed: {reason}");
    }
}

/// What happened in the seconds before two held one lock.
fn before_overlap(page: &mut String, evidence: &Evidence, book: &Book) {
    const SECONDS: u64 = 4_000_000;
    let Some(first) = book.ledger.first else { return };
    let _ = writeln!(page, "\nfaults before {first} us");
    for fault in &evidence.faults.course {
        let times = fault.trim_start_matches('[').split_once(')').map_or("", |(times, _)| times);
        let Some((from, until)) = times.split_once(", ") else { continue };
        let (from, until) = (from.parse().unwrap_or(0), until.parse().unwrap_or(0));
        if from < first && first < until + SECONDS {
            let _ = writeln!(page, "  {fault}");
        }
    }
}

fn outcomes(page: &mut String, book: &Book) {
    let words: BTreeSet<_> = book.accounts.iter().flat_map(|it| it.words.keys()).collect();
    row(page, "\noutcomes", book.accounts.iter().map(|account| account.who.to_owned()));
    for word in words {
        let counts = book.accounts.iter().map(|account| account.count(word).to_string());
        row(page, &format!("  {word}"), counts);
    }
}

fn times(page: &mut String, book: &Book) {
    let names = ["p50", "p99", "p99.9", "count"].map(str::to_owned);
    row(page, "\ntimes in ms", names.into_iter());
    let (mut free, mut contended) = (Histogram::default(), Histogram::default());
    for account in &book.accounts {
        free.merge(&account.free);
        contended.merge(&account.contended);
        time(page, &format!("  {}, free", account.who), &account.free);
        time(page, &format!("  {}, contended", account.who), &account.contended);
    }
    time(page, "  all, free", &free);
    time(page, "  all, contended", &contended);
    time(page, "  hand-over to who waits", &book.ledger.handover);
}

fn time(page: &mut String, name: &str, times: &Histogram) {
    let shown = |time: Option<Duration>| {
        time.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1000.0))
    };
    let shares = [500, 990, 999].map(|share| shown(times.permille(share)));
    row(page, name, shares.into_iter().chain([times.count().to_string()]));
}

fn growths(page: &mut String, evidence: &Evidence, book: &Book) {
    let names = ["MiB first", "last", "files first", "last"].map(str::to_owned);
    row(page, "\nprocesses", names.into_iter());
    for (at, account) in book.accounts.iter().enumerate() {
        let samples = evidence.samples.of(at);
        let memory = growth(&samples, |sample| sample.memory);
        let files = growth(&samples, |sample| sample.descriptors);
        let shown = |growth: Option<crate::samples::Growth>, unit: f64, digits: usize| {
            growth
                .map_or([0.0, 0.0], |it| [it.first as f64 / unit, it.last as f64 / unit])
                .map(|figure| format!("{figure:.digits$}"))
        };
        let cells = shown(memory, f64::from(1 << 20), 1).into_iter().chain(shown(files, 1.0, 0));
        row(page, &format!("  {}", account.who), cells);
    }
}

fn row(page: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let width = 24 + name.chars().take_while(|sign| *sign == '\n').count();
    let _ = write!(page, "{name:<width$}");
    for cell in cells {
        let _ = write!(page, "{cell:>12}");
    }
    page.push('\n');
}
