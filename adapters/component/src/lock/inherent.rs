//! The methods of a lock on the type itself.

/// Gives a type the methods of [`Lock`](crate::Lock) as its own: they need no import, and their
/// context is anything that turns into one.
macro_rules! inherent_lock {
    ($lock:ty) => {
        impl $lock {
            /// As [`Lock::try_acquire_lock`](crate::Lock::try_acquire_lock).
            ///
            /// # Errors
            /// As there.
            pub fn try_acquire_lock<'a>(
                &'a self,
                context: impl Into<$crate::Context<'a>>,
                key: &'a str,
                ttl: i64,
            ) -> $crate::Pending<'a, bool> {
                $crate::Lock::try_acquire_lock(self, context.into(), key, ttl)
            }

            /// As [`Lock::acquire_lock`](crate::Lock::acquire_lock).
            ///
            /// # Errors
            /// As there.
            pub fn acquire_lock<'a>(
                &'a self,
                context: impl Into<$crate::Context<'a>>,
                key: &'a str,
                ttl: i64,
                timeout: i64,
            ) -> $crate::Pending<'a, ()> {
                $crate::Lock::acquire_lock(self, context.into(), key, ttl, timeout)
            }

            /// As [`Lock::release_lock`](crate::Lock::release_lock).
            ///
            /// # Errors
            /// As there.
            pub fn release_lock<'a>(
                &'a self,
                context: impl Into<$crate::Context<'a>>,
                key: &'a str,
            ) -> $crate::Pending<'a, ()> {
                $crate::Lock::release_lock(self, context.into(), key)
            }
        }
    };
}

/// The same for [`blocking::Lock`](crate::blocking::Lock).
macro_rules! inherent_blocking_lock {
    ($lock:ty) => {
        impl $lock {
            /// As [`Lock::try_acquire_lock`](crate::blocking::Lock::try_acquire_lock).
            ///
            /// # Errors
            /// As there.
            pub fn try_acquire_lock<'a>(
                &self,
                context: impl Into<$crate::Context<'a>>,
                key: &str,
                ttl: i64,
            ) -> Result<bool, $crate::Error> {
                $crate::blocking::Lock::try_acquire_lock(self, context.into(), key, ttl)
            }

            /// As [`Lock::acquire_lock`](crate::blocking::Lock::acquire_lock).
            ///
            /// # Errors
            /// As there.
            pub fn acquire_lock<'a>(
                &self,
                context: impl Into<$crate::Context<'a>>,
                key: &str,
                ttl: i64,
                timeout: i64,
            ) -> Result<(), $crate::Error> {
                $crate::blocking::Lock::acquire_lock(self, context.into(), key, ttl, timeout)
            }

            /// As [`Lock::release_lock`](crate::blocking::Lock::release_lock).
            ///
            /// # Errors
            /// As there.
            pub fn release_lock<'a>(
                &self,
                context: impl Into<$crate::Context<'a>>,
                key: &str,
            ) -> Result<(), $crate::Error> {
                $crate::blocking::Lock::release_lock(self, context.into(), key)
            }
        }
    };
}

pub(crate) use {inherent_blocking_lock, inherent_lock};
