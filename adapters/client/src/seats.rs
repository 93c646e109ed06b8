//! Where a machine keeps its seats: in place for one server, which is what most clients have.

use redlatch_core::Seat;

pub(crate) enum Seats {
    One([Seat; 1]),
    Many(Box<[Seat]>),
}

impl Seats {
    pub(crate) fn new(servers: usize) -> Self {
        match servers {
            1 => Self::One([Seat::NEW]),
            _ => Self::Many(vec![Seat::NEW; servers].into()),
        }
    }
}

impl AsRef<[Seat]> for Seats {
    fn as_ref(&self) -> &[Seat] {
        match self {
            Self::One(seat) => seat,
            Self::Many(seats) => seats,
        }
    }
}

impl AsMut<[Seat]> for Seats {
    fn as_mut(&mut self) -> &mut [Seat] {
        match self {
            Self::One(seat) => seat,
            Self::Many(seats) => seats,
        }
    }
}
