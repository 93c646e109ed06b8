//! The network of the board, and a stream to Redis.

use embassy_executor::Spawner;
use embassy_net::tcp::TcpSocket;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use rand_core::TryRng;
use redlatch_embassy::Tcp;
use redlatch_firmware_board::{Ethernet, TestRng};
use static_cell::StaticCell;

/// The address that QEMU's network expects of its first guest.
const ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24);
/// The machine that runs QEMU; a connection to it reaches its loopback interface.
const HOST: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// Room of a socket for each direction, in bytes.
const SOCKET_BUFFER: usize = 512;

/// Starts the stack. `None` when that was done before, or where there is no seed for its ports and
/// sequence numbers.
pub(crate) fn start(
    spawner: Spawner,
    ethernet: Ethernet,
    rng: &mut TestRng,
) -> Option<Stack<'static>> {
    static RESOURCES: StaticCell<StackResources<2>> = StaticCell::new();
    let config = Config::ipv4_static(StaticConfigV4 {
        address: ADDRESS,
        gateway: Some(HOST),
        dns_servers: Default::default(),
    });
    let resources = RESOURCES.try_init(StackResources::new())?;
    let seed = rng.try_next_u64().ok()?;
    let (stack, runner) = embassy_net::new(ethernet, config, resources, seed);
    spawner.spawn(drive(runner).ok()?);
    Some(stack)
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

/// Where a socket keeps its bytes.
pub(crate) struct Buffers {
    receive: [u8; SOCKET_BUFFER],
    transmit: [u8; SOCKET_BUFFER],
}

impl Buffers {
    pub(crate) const fn new() -> Self {
        Self { receive: [0; SOCKET_BUFFER], transmit: [0; SOCKET_BUFFER] }
    }
}

/// A stream to Redis on the machine that runs QEMU.
pub(crate) fn redis<'b>(stack: Stack<'b>, buffers: &'b mut Buffers, port: u16) -> Tcp<'b> {
    let Buffers { receive, transmit } = buffers;
    Tcp::new(TcpSocket::new(stack, receive, transmit), (HOST, port))
}
