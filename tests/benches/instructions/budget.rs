//! How many instructions each piece of work may take, as a file.

use core::fmt::Write as _;

/// Counts may differ by so much, with the same compiler and with another one.
const PERCENT: u64 = 2;
const PERCENT_ELSEWHERE: u64 = 25;

/// What was counted, by which compiler's code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) toolchain: String,
    /// Name and instructions.
    pub(crate) works: Vec<(String, u64)>,
}

impl Budget {
    /// Reads what [`Budget::text`] writes.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let toolchain = lines.next().ok_or("it names no compiler")?.to_owned();
        let works = lines.map(|line| {
            let (number, name) = line.trim().split_once(' ').ok_or_else(|| line.to_owned())?;
            let number = number.parse().map_err(|_| format!("no number: {line}"))?;
            Ok((name.trim().to_owned(), number))
        });
        Ok(Self { toolchain, works: works.collect::<Result<_, String>>()? })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::from(
            "# Instructions of each piece of work, by callgrind. Checked and written by\n\
             # cargo bench -p redlatch-testkit --bench instructions -- --check (or --write)\n",
        );
        writeln!(text, "{}", self.toolchain).expect("memory");
        for (name, number) in &self.works {
            writeln!(text, "{number:6} {name}").expect("memory");
        }
        text
    }

    /// What the present counts say against this budget, in sentences. Nothing, when they keep it.
    pub(crate) fn complaints(&self, present: &Self) -> Vec<String> {
        let percent = if self.toolchain == present.toolchain { PERCENT } else { PERCENT_ELSEWHERE };
        let judged = present.works.iter().filter_map(|(name, now)| {
            let Some(budget) = number_of(&self.works, name) else {
                return Some(format!("{name}: {now} instructions, and no budget"));
            };
            let slack = budget * percent / 100;
            if *now > budget + slack {
                Some(format!(
                    "{name}: {now} instructions, over the budget of {budget}: make it cheaper"
                ))
            } else if *now + slack < budget {
                Some(format!(
                    "{name}: {now} instructions, under the budget of {budget}: it is stale"
                ))
            } else {
                None
            }
        });
        let gone = self.works.iter().filter_map(|(name, _)| {
            let is_gone = number_of(&present.works, name).is_none();
            is_gone.then(|| format!("{name}: a budget, and no such work"))
        });
        judged.chain(gone).collect()
    }
}

fn number_of(works: &[(String, u64)], wanted: &str) -> Option<u64> {
    works.iter().find(|(name, _)| name == wanted).map(|(_, number)| *number)
}
