//! The Ethernet controller, as `embassy-net` wants it.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

use crate::registers::Registers;

// SAFETY: the Ethernet controller of the LM3S6965.
const ETHERNET: Registers = unsafe { Registers::at(0x4004_8000) };
const INTERRUPTS: u16 = 0x00;
const INTERRUPT_MASK: u16 = 0x04;
const RECEIVE_CONTROL: u16 = 0x08;
const TRANSMIT_CONTROL: u16 = 0x0c;
const DATA: u16 = 0x10;
const ADDRESS_LOW: u16 = 0x14;
const ADDRESS_HIGH: u16 = 0x18;
const PACKETS: u16 = 0x34;
const TRANSMIT: u16 = 0x38;

const RECEIVED: u32 = 1;
const TRANSMITTED: u32 = 1 << 2;
const RECEIVE_ENABLE: u32 = 1;
const RESET_FIFO: u32 = 1 << 4;
const TRANSMIT_ENABLE: u32 = 1;
const PAD: u32 = 1 << 1;
const CHECKSUM: u32 = 1 << 2;
const PACKETS_MASK: u32 = 0x3f;
const TRANSMITTING: u32 = 1;

/// Locally administered. Each firmware has a network of its own, so all may have the same.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 1];
/// Longest frame, without its checksum.
const FRAME: usize = 1514;
/// Destination, source and type: not counted by the length in front of a frame that is sent.
const HEADER: usize = 14;
/// What the length in front of a received frame counts besides: itself and the checksum.
const AROUND: usize = 2 + 4;

static WAKER: AtomicWaker = AtomicWaker::new();

/// The network of the board.
pub struct Ethernet(());

/// A frame that has come in.
pub struct Received {
    frame: [u8; FRAME],
    length: usize,
}

/// Leave to send one frame.
pub struct Transmit(());

impl Ethernet {
    /// Only the board makes one: [`Board::ethernet`](crate::Board::ethernet).
    pub(crate) fn new() -> Self {
        let [a, b, c, d, e, f] = ADDRESS;
        ETHERNET.write(ADDRESS_LOW, u32::from_le_bytes([a, b, c, d]));
        ETHERNET.write(ADDRESS_HIGH, u32::from_le_bytes([e, f, 0, 0]));
        ETHERNET.write(RECEIVE_CONTROL, RESET_FIFO);
        ETHERNET.write(RECEIVE_CONTROL, RECEIVE_ENABLE);
        ETHERNET.write(TRANSMIT_CONTROL, TRANSMIT_ENABLE | PAD | CHECKSUM);
        ETHERNET.write(INTERRUPT_MASK, RECEIVED | TRANSMITTED);
        Self(())
    }
}

/// A frame has come in or gone out.
pub(super) fn interrupt() {
    ETHERNET.write(INTERRUPTS, ETHERNET.read(INTERRUPTS));
    WAKER.wake();
}

/// Whether the controller takes a frame now.
fn can_transmit() -> bool {
    ETHERNET.read(TRANSMIT) & TRANSMITTING == 0
}

impl Driver for Ethernet {
    type RxToken<'a> = Received;
    type TxToken<'a> = Transmit;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received, Transmit)> {
        // Before the look: what comes between the two wakes.
        WAKER.register(context.waker());
        (ETHERNET.read(PACKETS) & PACKETS_MASK != 0 && can_transmit())
            .then(|| (Received::read(), Transmit(())))
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Transmit> {
        WAKER.register(context.waker());
        can_transmit().then_some(Transmit(()))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(ADDRESS)
    }
}

impl Received {
    /// Takes the oldest frame out of the controller: a length of 16 bits, the frame and its checksum,
    /// in words. What is too long for a frame is cut; all of it is taken, else the next would begin
    /// in its middle.
    fn read() -> Self {
        let mut received = Self { frame: [0; FRAME], length: 0 };
        let first = ETHERNET.read(DATA);
        let [low, high, begin @ ..] = first.to_le_bytes();
        let total = usize::from(u16::from_le_bytes([low, high]));
        received.length = total.saturating_sub(AROUND).min(FRAME);
        let rest = (1..total.div_ceil(4)).flat_map(|_| ETHERNET.read(DATA).to_le_bytes());
        let mut places = received.frame.iter_mut();
        for byte in begin.into_iter().chain(rest) {
            if let Some(place) = places.next() {
                *place = byte;
            }
        }
        received
    }
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, with: F) -> R {
        with(self.frame.get_mut(..self.length).unwrap_or_default())
    }
}

impl TxToken for Transmit {
    /// `length` is at most what [`Driver::capabilities`] promise; a frame without a header is not sent.
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, with: F) -> R {
        let mut frame = [0; FRAME];
        let frame = frame.get_mut(..length).unwrap_or_default();
        let result = with(frame);
        if let Some(payload) = frame.len().checked_sub(HEADER) {
            send(payload, frame);
        }
        result
    }
}

/// Gives a frame to the controller: the length of its payload in 16 bits, then the frame, in words.
fn send(payload: usize, frame: &[u8]) {
    let [low, high, ..] = payload.to_le_bytes();
    let mut bytes = [low, high].into_iter().chain(frame.iter().copied());
    for _ in 0..(2 + frame.len()).div_ceil(4) {
        let word = core::array::from_fn(|_| bytes.next().unwrap_or_default());
        ETHERNET.write(DATA, u32::from_le_bytes(word));
    }
    ETHERNET.write(TRANSMIT, TRANSMITTING);
}
