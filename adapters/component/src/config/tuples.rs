//! Keys and values one after the other.

use super::value::ConfigValue;

/// What [`ConfigParams::from_tuples`](super::ConfigParams::from_tuples) takes: a tuple of keys and
/// values in turn, or an array, slice or vector of pairs.
pub trait Tuples {
    /// Hands over each key with its value, in order.
    fn each(self, put: impl FnMut(String, ConfigValue));
}

impl<K: Into<String>, V: Into<ConfigValue>, const N: usize> Tuples for [(K, V); N] {
    fn each(self, put: impl FnMut(String, ConfigValue)) {
        Vec::from(self).each(put);
    }
}

impl<K: Into<String>, V: Into<ConfigValue>> Tuples for Vec<(K, V)> {
    fn each(self, mut put: impl FnMut(String, ConfigValue)) {
        self.into_iter().for_each(|(key, value)| put(key.into(), value.into()));
    }
}

impl<K: Into<String> + Clone, V: Into<ConfigValue> + Clone> Tuples for &[(K, V)] {
    fn each(self, put: impl FnMut(String, ConfigValue)) {
        self.to_vec().each(put);
    }
}

macro_rules! for_tuples {
    ($(($($key:ident $value:ident),+))+) => {$(
        impl<$($key: Into<String>, $value: Into<ConfigValue>),+> Tuples for ($($key, $value),+) {
            #[allow(non_snake_case, reason = "a macro cannot make new names")]
            fn each(self, mut put: impl FnMut(String, ConfigValue)) {
                let ($($key, $value),+) = self;
                $(put($key.into(), $value.into());)+
            }
        }
    )+};
}

for_tuples! {
    (K1 V1)
    (K1 V1, K2 V2)
    (K1 V1, K2 V2, K3 V3)
    (K1 V1, K2 V2, K3 V3, K4 V4)
    (K1 V1, K2 V2, K3 V3, K4 V4, K5 V5)
    (K1 V1, K2 V2, K3 V3, K4 V4, K5 V5, K6 V6)
    (K1 V1, K2 V2, K3 V3, K4 V4, K5 V5, K6 V6, K7 V7)
    (K1 V1, K2 V2, K3 V3, K4 V4, K5 V5, K6 V6, K7 V7, K8 V8)
}
