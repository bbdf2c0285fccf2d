//! How long things take.

use std::time::Duration;

use crate::services::services;

macro_rules! delays {
    ($($service:ident $(: $delay:ident)?),* $(,)?) => {
        /// How long resources stay in passing states, by the sandbox's clock.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Delays {
            $($(
                #[doc = concat!("How long a ", stringify!($delay), " stays in each of its passing states.")]
                pub $delay: Duration,
            )?)*
        }

        impl Delays {
            /// No delay at all; each state still shows at least once.
            pub const NONE: Self = Self { $($($delay: Duration::ZERO,)?)* };

            /// The names of all delays.
            pub(crate) const NAMES: &[&str] = &[$($(stringify!($delay),)?)*];

            /// The delay of that name.
            pub(crate) fn named(&mut self, name: &str) -> Option<&mut Duration> {
                match name {
                    $($(stringify!($delay) => Some(&mut self.$delay),)?)*
                    _ => None,
                }
            }
        }
    };
}

services!(delays);
