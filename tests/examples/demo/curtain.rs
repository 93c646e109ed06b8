//! What ends the show early: signals, and whoever watches.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::stage::Stage;

/// Falls once, and ends the act that is played then.
#[derive(Default)]
pub(crate) struct Curtain {
    stage: Mutex<Option<Arc<Stage>>>,
    fallen: AtomicBool,
}

impl Curtain {
    /// Ctrl-C and SIGTERM end the run early; what came out is printed all the same. A second one ends
    /// the process.
    pub(crate) fn falls_on_signals() -> Result<Arc<Self>, String> {
        let curtain = Arc::new(Self::default());
        let falling = Arc::clone(&curtain);
        ctrlc::set_handler(move || {
            if falling.fallen.swap(true, Ordering::SeqCst) {
                ratatui::restore();
                std::process::exit(130);
            }
            if let Some(stage) = &*falling.stage.lock().unwrap_or_else(PoisonError::into_inner) {
                stage.stop();
            }
        })
        .map_err(|error| format!("cannot handle signals: {error}"))?;
        Ok(curtain)
    }

    /// This is played now.
    pub(crate) fn rise(&self, stage: &Arc<Stage>) {
        let mut played = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fallen.load(Ordering::SeqCst) {
            stage.stop();
        }
        *played = Some(Arc::clone(stage));
    }

    /// Whether nothing more is to be played.
    pub(crate) fn has_fallen(&self) -> bool {
        let played = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        self.fallen.load(Ordering::SeqCst)
            || played.as_ref().is_some_and(|stage| stage.was_stopped())
    }
}
