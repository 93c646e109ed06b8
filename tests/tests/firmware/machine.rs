//! A firmware that runs in QEMU.

use core::net::SocketAddr;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bridge::{Bridge, Line};
use crate::holder::Holder;

/// One of the firmwares that `.ci/firmware` builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmware {
    /// Blocking, over a UART, on a Cortex-M3.
    UartCortexM,
    /// Async with embassy, over TCP/IP, on a Cortex-M3.
    NetCortexM,
    /// Blocking, over a UART, on RISC-V.
    UartRiscv,
}

impl Firmware {
    pub(crate) const ALL: [Self; 3] = [Self::UartCortexM, Self::NetCortexM, Self::UartRiscv];
    /// Those at a serial line.
    pub(crate) const UART: [Self; 2] = [Self::UartCortexM, Self::UartRiscv];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UartCortexM => "uart-cortex-m",
            Self::NetCortexM => "net-cortex-m",
            Self::UartRiscv => "uart-riscv",
        }
    }

    /// The ELF file.
    pub(crate) fn image(self) -> PathBuf {
        provided("REDLATCH_FIRMWARE_DIR", self.name())
    }

    /// Runs it with these orders against a server at a loopback address.
    pub(crate) fn start(self, server: SocketAddr, orders: &str) -> Running {
        self.start_on(server, Line::sound(), orders)
    }

    /// Likewise, over a line that is not sound, where it has one.
    pub(crate) fn start_on(self, server: SocketAddr, line: Line, orders: &str) -> Running {
        let image = self.image().display().to_string();
        let mut arguments = match self {
            Self::UartCortexM | Self::NetCortexM => vec!["-M", "lm3s6965evb"],
            Self::UartRiscv => vec!["-M", "virt", "-bios", "none"],
        };
        arguments.extend(["-nodefaults", "-display", "none", "-kernel", &image]);
        let port = format!("--port {}", server.port());
        let (bridge, serial);
        let orders = match self {
            Self::NetCortexM => {
                bridge = None;
                arguments.extend(["-nic", "user,model=stellaris"]);
                format!("{orders} {port}")
            }
            Self::UartCortexM | Self::UartRiscv => {
                let opened = Bridge::open(server, line);
                serial = format!("tcp:{}", opened.address());
                bridge = Some(opened);
                arguments.extend(["-nic", "none", "-serial", &serial]);
                orders.to_owned()
            }
        };
        let words = orders.split(' ').map(|word| format!(",arg={word}"));
        let console: String = ["enable=on,target=native,chardev=console,arg=firmware".to_owned()]
            .into_iter()
            .chain(words)
            .collect();
        arguments.extend(["-chardev", "stdio,id=console", "-semihosting-config", &console]);
        let emulator = match self {
            Self::UartCortexM | Self::NetCortexM => "qemu-system-arm",
            Self::UartRiscv => "qemu-system-riscv32",
        };
        let emulator = provided("REDLATCH_EMULATOR_DIR", emulator);
        Running { holder: Holder::start(&emulator, &arguments), _bridge: bridge }
    }
}

/// A firmware that runs. QEMU is killed when the value is dropped.
pub(crate) struct Running {
    pub(crate) holder: Holder,
    _bridge: Option<Bridge>,
}

impl Running {
    /// Sends a signal to the emulator.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.holder.child), signal).expect("it runs");
    }

    /// Waits until it ends by itself. What it still said before its last line, the status, and the most of
    /// the stack that was in use, in bytes.
    pub(crate) fn end(self) -> (Vec<crate::holder::Line>, i32, u64) {
        let (mut lines, status, complaints) = self.holder.end();
        let last = lines.pop().unwrap_or_else(|| panic!("no last line: {complaints}"));
        let stack = last.event.strip_prefix("stack=").and_then(|bytes| bytes.parse().ok());
        let stack = stack.unwrap_or_else(|| panic!("the last line is {last:?}; {complaints}"));
        (lines, status, stack)
    }

    /// Waits until it ends by itself, with this status and nothing more to say.
    #[track_caller]
    pub(crate) fn expect_end(self, expected: i32) {
        let (lines, status, _) = self.end();
        assert_eq!((status, lines.len()), (expected, 0), "{lines:?}");
    }
}

/// What the firmware says that measures types: a name, and bytes.
pub(crate) fn sizes() -> Vec<(String, u64)> {
    let image = provided("REDLATCH_FIRMWARE_DIR", "sizes-cortex-m").display().to_string();
    let arguments = ["-M", "lm3s6965evb", "-nodefaults", "-display", "none", "-kernel", &image];
    let console = ["-chardev", "stdio,id=console"];
    let semihosting = ["-semihosting-config", "enable=on,target=native,chardev=console"];
    let emulator = provided("REDLATCH_EMULATOR_DIR", "qemu-system-arm");
    let output = Command::new(emulator)
        .args(arguments.iter().chain(&console).chain(&semihosting))
        .stdin(Stdio::null())
        .output()
        .expect("the emulator starts");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let line = |line: &str| {
        let (name, bytes) = line.split_once(" = ")?;
        Some((name.to_owned(), bytes.trim().parse().ok()?))
    };
    text.lines().map(|it| line(it).unwrap_or_else(|| panic!("no size: {it}"))).collect()
}

/// What `.ci/firmware` has built or unpacked.
fn provided(folder: &str, name: &str) -> PathBuf {
    let folder = env::var_os(folder)
        .unwrap_or_else(|| panic!("{folder} is not set: run these tests with `.ci/firmware`"));
    PathBuf::from(folder).join(name)
}
